#!/bin/sh
# Measure all that docs/benchmarks.md says of language models against llama.cpp, a
# table after another.
#
#   decoders.sh RAGSTONE LLAMA SMOLLM2 GEMMA [LLAMA_AVX2]
#
# RAGSTONE is the program, LLAMA the folder with llama-bench, llama-server and
# llama-quantize built for this machine, SMOLLM2 and GEMMA the GGUF files as
# downloaded, LLAMA_AVX2 a folder with a llama-bench built without AVX-512. PYTHON
# names one with numpy and gguf. Takes about an hour on two idle cores; ROUNDS (5)
# and TOKENS (1500), how often and how long each is measured, make it shorter.
set -eu
here=$(dirname "$0")
ragstone=$1 llama=$2 smollm2=$3 gemma=$4 avx2=${5:-} python=${PYTHON:-python3} rounds=${ROUNDS:-5} tokens=${TOKENS:-1500}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quantize() { "$llama/llama-quantize" --allow-requantize "$1" "$work/$2-$3.gguf" "$3" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }
for format in Q8_0 Q4_0 Q4_K_M; do quantize "$smollm2" smollm2 $format; done
"$python" "$here/random_qwen.py" "$work/qwen2.5-0.5b-Q8_0.gguf"
quantize "$work/qwen2.5-0.5b-Q8_0.gguf" qwen2.5-0.5b Q4_K_M
"$python" "$here/random_qwen.py" "$work/qwen3-moe-Q8_0.gguf" --experts

# One thread by processor time, which other programs disturb little; two by the clock.
against() {
	for how in '--threads 1 --cpu' '--threads 2'; do
		python3 "$here/model.py" --ragstone "$ragstone" --llama-bench "$1/llama-bench" --model "$2" $how --rounds "$rounds" --tokens "$tokens" $3
	done
}
bus() {
	for threads in 1 2; do "$ragstone" bench model "$1" --bus --threads $threads --prompt 64 --decode "$2" --runs "$rounds"; done
}
for file in "$smollm2" "$work"/smollm2-*.gguf; do
	echo; echo "## $(basename "$file"), and its part of the memory bus"; echo
	against "$llama" "$file" "--prompt 256,512,2048"
	bus "$file" 64
done
for file in "$gemma" "$work"/qwen*.gguf; do
	echo; echo "## $(basename "$file"), and its part of the memory bus"; echo
	against "$llama" "$file" "--prompt 256 --decode 16"
	bus "$file" 16
done
if [ -n "$avx2" ]; then
	echo; echo "## AVX2 only, both"; echo
	against "$avx2" "$smollm2" "--prompt 256 --kernels avx2"
fi

echo; echo "## Keys and values as halves and as bytes, beyond 1,500 tokens"; echo
for kv in f16 q8; do "$ragstone" bench model "$smollm2" --kv $kv --depth 1500 --threads 1 --prompt 2048 --runs "$rounds"; done
echo; echo "## Text that repeats its prompt"; echo
for threads in 1 2; do "$ragstone" bench repeat "$smollm2" --threads $threads --runs "$rounds"; done
for threads in 1 2; do
	echo; echo "## Servers, $threads threads each"; echo
	python3 "$here/server.py" --ragstone "$ragstone" --llama "$llama" --model "$smollm2" --threads $threads --rounds "$rounds"
done
echo; echo "## A busy neighbour"; echo
python3 "$here/neighbour.py" --ragstone "$ragstone" --llama-bench "$llama/llama-bench" --model "$smollm2" --rounds "$rounds"
