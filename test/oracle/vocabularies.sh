#!/usr/bin/env bash
# Runs the tokenizer's vectors with every vocabulary of llama.cpp's tests, most of
# which are not in the shared data: fetches llama.cpp's source from the npm package
# node-llama-cpp, or takes the folder given as the argument.
#
#     test/oracle/vocabularies.sh [LLAMA]
set -euo pipefail
cd "$(dirname "$0")/../.."
shared=${RAGSTONE_SHARED:-../shared}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
llama=${1:-}
if [ -z "$llama" ]; then
	(cd "$work" && npm pack --silent node-llama-cpp >/dev/null && tar xzf node-llama-cpp-*.tgz)
	llama=$work/llama
	git clone --quiet "$work/package/llama/gitRelease.bundle" "$llama"
fi
mkdir -p "$work/shared/data/tokenizers"
for folder in "$shared"/data/*; do
	[ "$(basename "$folder")" = tokenizers ] || ln -s "$(realpath "$folder")" "$work/shared/data/"
done
ln -s "$(realpath "$llama")"/models/ggml-vocab-* "$work/shared/data/tokenizers/"
RAGSTONE_SHARED=$work/shared CGO_ENABLED=0 go test -count=1 -v -run 'VectorsOfLlamaCpp|VocabulariesOfLlamaCpp' ./internal/tokenizer
