#!/usr/bin/env bash
# Runs the conformance checks through a server whose only models are an
# upstream's, which the checks' own stub plays: test/conform/upstream.sh [AREAS]
# What fails here was changed on its way. Needs what run.sh needs.
set -eu
areas=${1:-errors,models,chat,params,embeddings,moderations}
root=$(cd "$(dirname "$0")/../.." && pwd)
checks=${RAGSTONE_SHARED:-$root/../shared}/conform
leave_out() {
	echo "conform: $1: the checks are left out" >&2
	[ -z "${CI:-}" ] || exit 1
	exit 0
}
[ -d "$checks" ] || leave_out "$checks is absent (set RAGSTONE_SHARED to the folder of test data)"
command -v npm >/dev/null || leave_out "npm is not installed (install Node 20 or newer)"

work=$(mktemp -d)
stub= server=
finish() {
	for process in $server $stub; do
		kill "$process" 2>/dev/null && wait "$process" || true
	done
	rm -rf "$work"
}
trap finish EXIT

cp -R "$checks" "$work/conform"
chmod -R u+w "$work/conform"
(cd "$work/conform" && npm ci --ignore-scripts --no-audit --no-fund --silent)
(cd "$root" && go build -o "$work/ragstone" ./cmd/ragstone)

port=$(node -e 'const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close(); })')
node "$work/conform/stub/stub.mjs" --port "$port" --quiet &
stub=$!
cat >"$work/ragstone.yaml" <<YAML
upstreams:
  - name: stub
    url: http://127.0.0.1:$port/v1
    key_env: STUB_KEY
    models: ["*"]
    list_models: true
YAML
STUB_KEY=sk-test RAGSTONE_HOME="$work/home" "$work/ragstone" serve --config "$work/ragstone.yaml" --addr 127.0.0.1:0 \
	--model none --embedding-model none --requests-per-minute 100000 --tokens-per-minute 100000000 >"$work/out" 2>"$work/log" &
server=$!
for _ in $(seq 100); do
	grep -q '^API key: ' "$work/out" && break
	kill -0 "$server" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
	sleep 0.1
done
url=$(sed -n 's/^Ragstone serves the OpenAI API at //p' "$work/out")
key=$(sed -n 's/^API key: //p' "$work/out")
node "$work/conform/run.mjs" --base-url "$url" --api-key "$key" --areas "$areas"
