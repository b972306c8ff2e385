# Ragstone's tasks. `make check` is what CI runs; `make help` lists the rest.
# Needs Go, git and make. What else a target needs, it installs or names.

export CGO_ENABLED = 0
RAGSTONE_SHARED ?= $(abspath ../shared)
export RAGSTONE_SHARED

GO    ?= go
TOOL   = $(GO) tool -modfile=tools/go.mod
# Packages small enough to test without assembly, in plain Go.
PURE   = ./internal/kernel
# Packages under the race detector: all but those it would only slow down.
RACE  ?= $(shell $(GO) list ./... | grep -v -e /internal/kernel -e /internal/model -e /internal/grammar -e /internal/quant -e /internal/tokenizer -e /internal/chunk -e /test/)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: build
build: ## build bin/ragstone
	$(GO) build -trimpath -o bin/ragstone ./cmd/ragstone

.PHONY: check
check: fmt generated models vet staticcheck test race purego cross neon tidy sdk s3 grammar conform ## everything CI runs
	@echo "make check: all passed"

.PHONY: fmt
fmt: ## formatting (says which files gofmt would change)
	@files=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$files" || { echo "gofmt would change:"; echo "$$files"; echo "run: gofmt -w ."; exit 1; }

.PHONY: generated
generated: ## the generated assembly is what its generator writes
	@dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && cp -R internal/kernel/_asm "$$dir/_asm" && (cd "$$dir/_asm" && $(GO) run .) && \
	for file in "$$dir"/*.*; do cmp "$$file" "internal/kernel/$${file##*/}" || { echo "run: cd internal/kernel/_asm && go run ."; exit 1; }; done

.PHONY: models
models: ## fetch the two default models into Ragstone's store
	$(GO) run ./cmd/ragstone pull smollm2-135m-instruct all-minilm-l6-v2

.PHONY: vet
vet:
	$(GO) vet ./...
	$(GO) vet -tags purego $(PURE)
	GOARCH=arm64 $(GO) vet ./internal/kernel ./internal/disk

.PHONY: staticcheck
staticcheck: ## staticcheck, pinned in tools/go.mod
	$(TOOL) staticcheck ./...

.PHONY: test
test: ## tests, the policy tests among them
	$(GO) test ./...

.PHONY: race
race: ## tests under the race detector (needs a C compiler)
	@if command -v cc >/dev/null 2>&1 || command -v gcc >/dev/null 2>&1; then \
		echo "$(GO) test -race -short ..."; CGO_ENABLED=1 $(GO) test -race -short $(RACE); \
	else echo "race: no C compiler found (cc or gcc); the race tests are left out. Install one, e.g. 'apt-get install gcc'."; fi

.PHONY: purego
purego: ## kernels and the tiny model in plain Go
	$(GO) test -tags purego $(PURE)
	$(GO) test -tags purego -run 'Tiny' ./internal/model

.PHONY: cross
cross: ## build for the other platforms
	@for target in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do \
		echo "build $$target"; GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -o /dev/null ./cmd/ragstone || exit 1; done

.PHONY: neon
neon: ## arm64's kernels against their plain definitions, and tiny models, under qemu-user where it is installed
	@qemu=$$(command -v qemu-aarch64 || command -v qemu-aarch64-static) || { echo "neon: no qemu-aarch64 found; arm64's kernels are left out. Install one, e.g. 'apt-get install qemu-user'."; exit 0; }; \
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && GOARCH=arm64 $(GO) test -c -o "$$dir/kernel.test" ./internal/kernel && cd internal/kernel && \
	echo "$$qemu kernel.test" && "$$qemu" "$$dir/kernel.test" -test.short && \
	echo "$$qemu kernel.test, without dot products" && "$$qemu" -cpu cortex-a57 "$$dir/kernel.test" -test.short -test.run 'Products|Attention' && \
	cd ../model && GOARCH=arm64 $(GO) test -c -o "$$dir/model.test" . && \
	echo "$$qemu model.test, tiny models" && "$$qemu" "$$dir/model.test" -test.short -test.run '^(TestTinyEqualsItsGoldenFile|TestFamiliesFollowLlamaCpp|TestEncodersEqualTransformers)$$'

.PHONY: tidy
tidy: ## go.mod and go.sum say what is used
	$(GO) mod tidy -diff

.PHONY: sdk
sdk: ## the official Go, JavaScript and Python SDKs, instructor and Pydantic AI against a server (needs Node and Python)
	cd test/sdk/go && $(GO) vet ./... && $(GO) test -count=1 -v ./...

.PHONY: s3
s3: ## contents of files in an S3-compatible server, which is built first
	cd test/s3 && $(GO) vet ./... && $(GO) test -count=1 ./...

.PHONY: grammar
grammar: ## what grammars let a model write, against a JSON Schema validator
	cd test/grammar && $(GO) vet ./... && $(GO) test -count=1 ./...

.PHONY: conform
conform: ## the API's conformance checks against a server (needs Node)
	test/conform/run.sh
	test/conform/upstream.sh

.PHONY: torture
torture: torture-llm torture-vector torture-ledger ## long tests under load and faults (needs a C compiler for the race detector)

.PHONY: torture-llm
torture-llm: ## 100,000 requests to the engine under the race detector
	CGO_ENABLED=1 $(GO) test -race -timeout 2h ./llm -run RandomTraffic -args -requests 100000

.PHONY: torture-vector
torture-vector: ## a million random operations on the vector database, two hundred kills
	$(GO) test ./vector -run 'TestModel|TestKilledWhileWriting' -count=1 -v -timeout 2h -args -model.ops 1000000 -kills 200

.PHONY: torture-ledger
torture-ledger: ## a server killed every 2 s for 10 min under load, its ledger against its clients' answers: TIME=10m, DATABASE=URL of an empty PostgreSQL database instead of SQLite
	$(GO) test ./internal/server -run 'TestTorture$$' -count=1 -v -timeout 2h -args -torture $(or $(TIME),10m) -torture.every 2s $(if $(DATABASE),-torture.database "$(DATABASE)")

.PHONY: torture-upload
torture-upload: ## a file of 2 GB in parts, to the server and back, and the memory that it takes: BYTES=8589934592 for the most there may be
	$(GO) test ./internal/server -run TestALargeUpload -count=1 -v -timeout 1h -args -upload $(or $(BYTES),2147483648)

.PHONY: bench-gateway
bench-gateway: build ## what Ragstone adds to a request for an upstream, beside a bare proxy and LiteLLM's: LITELLM=its program (pip install 'litellm[proxy]')
	$(GO) build -o bin/gateway ./test/bench/gateway
	$(shell command -v taskset >/dev/null && echo taskset -c 0,1) bin/gateway -ragstone bin/ragstone -litellm "$(LITELLM)"
	$(GO) test ./internal/api -run xxx -bench ChatRequest -benchtime 2s

.PHONY: bench-vector
bench-vector: ## durable inserts into the vector database, and its restart, with a million points
	$(GO) test ./vector -run xxx -bench 'Insert|Restart' -benchtime 1x -args -points 1000000

.PHONY: bench-model
bench-model: build ## language models against llama.cpp: LLAMA=folder of its programs, MODEL and GEMMA=paths of SmolLM2's and Gemma's GGUF files, PYTHON=one with numpy and gguf; optional LLAMA_AVX2=folder of a build without AVX-512; an hour, less with ROUNDS=1
	@test -n "$(LLAMA)" -a -n "$(MODEL)" -a -n "$(GEMMA)" || { echo "set LLAMA, MODEL and GEMMA"; exit 1; }
	PYTHON="$(PYTHON)" ROUNDS="$(ROUNDS)" TOKENS="$(TOKENS)" test/bench/decoders.sh bin/ragstone "$(LLAMA)" "$(MODEL)" "$(GEMMA)" $(LLAMA_AVX2)

.PHONY: bench-embed
bench-embed: build ## encoders against ONNX Runtime: PYTHON=one with test/bench/embed.py's needs, MODEL=folder of all-minilm-l6-v2
	@test -n "$(PYTHON)" -a -n "$(MODEL)" || { echo "set PYTHON to one with numpy, onnx, onnxruntime, torch and transformers, and MODEL to the folder of all-minilm-l6-v2"; exit 1; }
	dir=$$(mktemp -d) && trap 'rm -rf "$$dir"' EXIT && \
	$(PYTHON) test/bench/minilm_onnx.py "$(MODEL)" $$dir/minilm.onnx && \
	$(PYTHON) test/bench/embed.py bin/ragstone "$(MODEL)" $$dir/minilm.onnx --seconds 0.5 && \
	$(PYTHON) test/bench/pairs_onnx.py $$dir/pairs $$dir/pairs.onnx && \
	$(PYTHON) test/bench/embed.py bin/ragstone $$dir/pairs $$dir/pairs.onnx --pairs --seconds 0.5 --shapes 8x128x2,8x128x1

.PHONY: bench-ann
bench-ann: build ## vector indexes against other libraries, on synthetic and real data: ANN_DATA=folder for the sets, PYTHON=python with peers, MODEL=folder of all-minilm-l6-v2, PEERS="symqg32 hnswlib16"
	@test -n "$(ANN_DATA)" -a -n "$(PYTHON)" -a -n "$(MODEL)" || { echo "set ANN_DATA to a folder for the sets, PYTHON to one with the peers, and MODEL to the folder of all-minilm-l6-v2"; exit 1; }
	PYTHON="$(PYTHON)" test/bench/ann.sh bin/ragstone "$(abspath $(RAGSTONE_SHARED))" "$(MODEL)" "$(abspath $(ANN_DATA))" $(PEERS)

.PHONY: bench-filters
bench-filters: build ## filtered search against other libraries: ANN_DATA=folder, PYTHON=python with numpy, faiss-cpu and qdrant-edge-py
	@test -n "$(ANN_DATA)" -a -n "$(PYTHON)" || { echo "set ANN_DATA to a folder that bench/ann in the shared data made, and PYTHON to one with the peers"; exit 1; }
	$(PYTHON) test/bench/filters.py --data "$(ANN_DATA)" --peer faiss --peer qdrant

.PHONY: bench-insert
bench-insert: build ## durable inserts against hnswlib: ANN_DATA=folder, PYTHON=python with numpy and hnswlib
	@test -n "$(ANN_DATA)" -a -n "$(PYTHON)" || { echo "set ANN_DATA to a folder that bench/ann in the shared data made, and PYTHON to one with hnswlib"; exit 1; }
	$(PYTHON) test/bench/insert.py bin/ragstone "$(ANN_DATA)" 15000

.PHONY: bench-threads
bench-threads: build ## two goroutines against two processes, a graph and a whole database: ANN_DATA=folder
	@test -n "$(ANN_DATA)" || { echo "set ANN_DATA to a folder that bench/ann in the shared data made"; exit 1; }
	for index in graph collection; do python3 test/bench/threads.py --data "$(ANN_DATA)" --index $$index || exit 1; done

.PHONY: quality
quality: ## retrieval and answer figures on public data
	$(GO) run ./test/quality -shared $(RAGSTONE_SHARED)

.PHONY: learn
learn: ## fit the weights of rag/weights.go on the odd halves
	$(GO) run ./test/quality -shared $(RAGSTONE_SHARED) -cache learn learn-languages

.PHONY: bench-masks
bench-masks: ## token masks against llguidance, and their share of decoding: PYTHON=one that has it, MODEL=path of SmolLM2's GGUF file
	@test -n "$(MODEL)" || { echo "set MODEL, and PYTHON to one with the package llguidance"; exit 1; }
	$(or $(PYTHON),python3) test/bench/masks.py --model "$(MODEL)" --bfcl $(RAGSTONE_SHARED)/data/bfcl --rounds 5
	cd test/grammar && $(GO) test -run xxx -bench Decoding -benchtime 11x .

.PHONY: bench-tokenizer
bench-tokenizer: ## encoding text against Hugging Face tokenizers: PYTHON=one that has them and gguf, MODEL=path of SmolLM2's GGUF file
	@test -n "$(MODEL)" || { echo "set MODEL, and PYTHON to one with the packages tokenizers and gguf"; exit 1; }
	$(GO) test -c -o bin/tokenizer.test ./internal/tokenizer
	$(or $(PYTHON),python3) test/bench/encode_text.py bin/tokenizer.test "$(MODEL)" $(RAGSTONE_SHARED)/data 5
