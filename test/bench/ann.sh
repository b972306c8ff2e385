#!/bin/sh
# Measure all that docs/benchmarks.md says of vector indexes against other
# libraries, a table after another.
#
#   ann.sh RAGSTONE SHARED MODEL FOLDER [PEER…]
#
# SHARED is the folder of shared data, which has the generator, the real data and
# the peers' script; MODEL that of all-minilm-l6-v2. Sets that FOLDER lacks are
# made there. PEERs are names of the peers' script, the first of them the reference;
# none are symqg32 and hnswlib16. PYTHON names one that has them, PASSES how often each
# index is measured (5). Takes about an hour on an idle core; with one pass, and smaller
# sets put into FOLDER before, minutes.
set -eu
here=$(dirname "$0")
ragstone=$1 shared=$2 model=$3 folder=$4 python=${PYTHON:-python3} passes=${PASSES:-5}
shift 4
[ $# -gt 0 ] || set -- symqg32 hnswlib16

[ -e "$folder/hard128" ] || (cd "$shared/bench/ann" && go run . -kind hard -n 100000 -d 128 -out "$folder/hard128")
[ -e "$folder/hard768" ] || (cd "$shared/bench/ann" && go run . -kind hard -n 50000 -d 768 -q 500 -out "$folder/hard768")
for set in mnist scifact xquad; do
	[ -e "$folder/$set" ] || go run "$here/realsets" -data "$shared/data" -model "$model" -out "$folder" $set
done

peers=
for name in "$@"; do peers="$peers --peer $name"; done
for set in hard128 hard768 mnist scifact xquad; do
	python3 "$here/ann.py" --ragstone "$ragstone" --data "$folder/$set" --python "$python" --peers "$shared/bench/ann/peers/peers.py" --passes "$passes" \
		$peers --ours graph --ours lean --ours graph@avx2
done

faiss() { # faiss QUERIES_AT_ONCE FACTORY OURS… : against FAISS with a factory string
	batch=$1 factory=$2
	shift 2
	python3 "$here/ann.py" --ragstone "$ragstone" --data "$folder/hard128" --python "$python" --peers "$here/ann_peer.py" --peer "$factory@$batch" --batch "$batch" --passes "$passes" "$@"
}
for batch in 1 100; do
	faiss $batch Flat --ours flat --ef 1
	faiss $batch IVF1024,PQ64x4fs,RFlat --ours ivf,lists=1024,pq=64 --ours ivf,lists=1024 --ef 2,4,8,16,32,64,128
	for codec in SQ8 SQ4 SQfp16 PQ32 PQ64x4fs LSH; do
		faiss $batch $codec --ours $codec --ef 1
	done
done
