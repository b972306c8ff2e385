// Package openai is the wire format of the OpenAI API in Go: one file per
// resource, fields in the order of the published OpenAPI document (2.3.0),
// names exact, only the subset Ragstone serves. It is a leaf of the import
// graph and uses the standard library alone, so every floor may speak it.
//
// # Requests
//
// A request type decodes itself (UnmarshalJSON) from a JSON text in two steps.
// First the text becomes a tree of values (value.go): that step refuses what
// is not UTF-8, not JSON, nested or populated beyond reason, or names a key
// twice in one object. Then the type takes the fields it knows off the tree
// (object.go), each with the JSON type the API gives it; what is left over is
// unknown. Every refusal is a *RequestError with the message, parameter path
// and code that the API itself uses, because clients read them.
//
// Absent and null are the same to a request; zero is a choice of the caller's.
// So optional scalars are pointers. Unions are types of their own
// (MessageContent, TextOrTokens) or become the one Go type that holds all their
// forms, as stop does; there is no any here and no map.
//
// Decoding checks shape. Ranges, required fields and what a model can do are
// the business of internal/platform/inference. A parameter of the API that we
// do not serve is recorded by name in Unserved, never dropped. Advice that changes
// no answer (prompt_cache_key and the like, annotations of a message) is read and
// let go.
//
// # Responses
//
// Response types encode with encoding/json. A documented key is always sent;
// nullable ones are pointers without omitempty. Values are not shared between
// goroutines by this package; there is no state in it.
package openai
