// Package grammar holds what internal/grammar lets a model write against an
// independent validator of JSON Schema: over the tool schemas of the Berkeley
// Function Calling Leaderboard and the JSON Schema Test Suite, with SmolLM2's
// vocabulary. It is a module of its own so that the validator is not among the
// product's dependencies. `make grammar` runs it.
package grammar
