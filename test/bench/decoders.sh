#!/bin/sh
# Measure all that docs/benchmarks.md says of language models against llama.cpp, a
# table after another.
#
#   decoders.sh RAGSTONE LLAMA SMOLLM2 GEMMA [LLAMA_AVX2]
#
# RAGSTONE is the program, LLAMA the folder with llama-bench, llama-server and
# llama-quantize built for this machine, SMOLLM2 and GEMMA the GGUF files as
# downloaded, LLAMA_AVX2 a folder with a llama-bench built without AVX-512. PYTHON
# names one with numpy and gguf. Takes about an hour on two idle cores.
set -eu
here=$(dirname "$0")
ragstone=$1 llama=$2 smollm2=$3 gemma=$4 avx2=${5:-} python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

quantize() { "$llama/llama-quantize" --allow-requantize "$1" "$work/$2-$3.gguf" "$3" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }
for format in Q8_0 Q4_0 Q4_K_M; do quantize "$smollm2" smollm2 $format; done
"$python" "$here/random_qwen.py" "$work/qwen2.5-0.5b-Q8_0.gguf"
quantize "$work/qwen2.5-0.5b-Q8_0.gguf" qwen2.5-0.5b Q4_K_M

# One thread by processor time, which other programs disturb little; two by the clock.
against() {
	for how in '--threads 1 --cpu' '--threads 2'; do
		python3 "$here/model.py" --ragstone "$ragstone" --llama-bench "$1/llama-bench" --model "$2" $how --rounds 5 $3
	done
}
for file in "$smollm2" "$work"/smollm2-*.gguf; do
	echo; echo "## $(basename "$file"), and its part of the memory bus"; echo
	against "$llama" "$file" "--prompt 256,512,2048"
	for threads in 1 2; do "$ragstone" bench model "$file" --bus --threads $threads --prompt 64 --runs 7; done
done
for file in "$gemma" "$work"/qwen2.5-*.gguf; do
	echo; echo "## $(basename "$file"), and its part of the memory bus"; echo
	against "$llama" "$file" "--prompt 256 --decode 16"
	for threads in 1 2; do "$ragstone" bench model "$file" --bus --threads $threads --prompt 64 --decode 16 --runs 7; done
done
if [ -n "$avx2" ]; then
	echo; echo "## AVX2 only, both"; echo
	against "$avx2" "$smollm2" "--prompt 256 --kernels avx2"
fi

echo; echo "## Text that repeats its prompt"; echo
for threads in 1 2; do "$ragstone" bench repeat "$smollm2" --threads $threads; done
for threads in 1 2; do
	echo; echo "## Servers, $threads threads each"; echo
	python3 "$here/server.py" --ragstone "$ragstone" --llama "$llama" --model "$smollm2" --threads $threads
done
echo; echo "## A busy neighbour"; echo
python3 "$here/neighbour.py" --ragstone "$ragstone" --llama-bench "$llama/llama-bench" --model "$smollm2"
