// Package sdk runs the official OpenAI SDKs for Go, JavaScript and Python, unchanged,
// against a Ragstone that it builds and starts itself on a free port. It is a
// module of its own so that the SDKs are not among the product's dependencies.
//
// The server gets a home of its own whose models are links to those in the
// user's store, so that a run leaves nothing behind. `make sdk` runs it.
package sdk
