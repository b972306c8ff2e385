// Package llm is models ready to use: it opens a local model or names an
// upstream server, and either one writes, embeds or scores text.
package llm
