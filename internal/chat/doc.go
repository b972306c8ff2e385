// Package chat turns a conversation into the text a model was trained to
// continue, with the template that the model's own files carry, and takes what
// the model writes apart into text, reasoning and tool calls.
//
// Templates are written in Jinja, a language with loops, macros and most of
// Python's string methods. Hugging Face transformers defines which part of it
// and with which settings (trim_blocks, lstrip_blocks, a tojson of its own,
// raise_exception, strftime_now); this package interprets that part as jinja2
// 3.1 does, down to white space and the spelling of numbers.
//
// # How it works
//
// A lexer cuts the source into tokens and applies white space control, a
// recursive-descent parser builds a tree, and [Template.Render] walks it. The
// values are Python's: None, booleans, integers, floats, strings indexed by
// code point, lists, and dictionaries that keep their order. What jinja2's
// immutable sandbox forbids, changing a list or a dictionary, does not exist
// here.
//
// # Tools
//
// Models write tool calls in some dozen forms. [FamilyOf] tells the form from
// the template; a [Parser] reads it while it is written, passing arguments on as
// they come; [Family.Calls] describes it for a grammar that enforces a call. A
// template says nowhere how it wants calls of earlier messages, so it is tried
// out once with a small conversation. Where it knows no tools at all they are
// described in the system message and called in the form of Hermes.
//
// # Text from outside
//
// A string knows which of its bytes came from the conversation, and keeps
// knowing through concatenation, slicing and filters.
// [Template.RenderSpans] returns those parts, so that "<|im_end|>" in a
// message stays letters when the result is tokenised.
//
// # Limits
//
// A template comes from a file that may be hostile. Steps, bytes handled,
// nesting and recursion are bounded; what goes beyond is an [*Error], as is
// everything else that goes wrong. There is no access to files, to the network
// or to anything outside the conversation but the date.
//
// # Concurrency
//
// A [Template] does not change and may be rendered by many goroutines.
//
// A [Parser] is for one answer and one goroutine.
//
// # Left out
//
// Template inheritance, imports, autoescaping, custom delimiters, and the
// filters and methods that no chat template was seen to use; each is an error
// that names it. Calls whose arguments are tags instead of JSON (Seed-OSS,
// Qwen3-Coder) are text.
package chat
