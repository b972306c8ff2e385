// Package chunk cuts documents into passages small enough to be embedded, and
// texts into sentences.
//
// # Terms
//
// A piece is what is never cut while it fits: a sentence of prose, a heading,
// a row of a table, a line of code. Pieces tile the document. Each has a rank
// that says how strongly what comes before it is set apart: a heading of the
// highest level most, then lower headings, a blank line, a list item or row,
// and least the next sentence of the same paragraph. A passage is a run of
// pieces.
//
// # How it works
//
// [Split] is a recursive splitter: a run of pieces that is too long is cut at
// all boundaries of the strongest rank inside it; parts that fit together are
// joined again from the left, towards equal lengths; a part that is too long
// is cut at the next weaker rank. Headings differ twice. The body below a
// heading is bound to it as a sentence is to the next, so that no heading
// stands alone at the end of a passage; and sections are never joined, save
// that a heading without a body of its own goes with the section that
// follows. A piece that alone is too long is cut between words, and a word
// between characters.
//
// The caller's Count is asked once for each piece and once for each passage.
// Lengths of runs are sums, since tokens do not cross the blanks between
// sentences; where a tokenizer's do, the check of the whole passage finds out
// and the passage is cut again.
//
// Sentences are those of Unicode Standard Annex 29 within the paragraphs,
// items and rows that the line structure shows, repaired where full stops end
// abbreviations, initials and numbered references ([Sentences]).
//
// # Promises
//
// Every byte of the text that is not blank lies in a passage; without overlap
// in exactly one. Counts never exceed Options.MaxTokens unless a single
// character does. Both functions take time linear in the text, apart from what
// Count takes, allocate no global state and are safe for concurrent use as far
// as Count is.
//
// # Left out
//
// Boundaries found by meaning (embeddings of neighbouring sentences), and the
// syntax of programming languages: code is cut at blank lines and unindented
// lines.
package chunk
