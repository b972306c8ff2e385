// Package document turns files into text that can be pointed into.
//
// [Walk] lists the files of a folder that are worth reading and says, in
// words, why it left out each of the others. A [Parser] reads one file of any
// supported format into a [Document]: UTF-8 text, with pages, headings and
// lines known by byte offset, so that whatever is said about the text later (a
// passage, a quote, a citation) can be traced to a place in the file.
//
// # What the text is
//
// For text formats (Markdown, plain text, source code, JSON, YAML, CSV) the text
// is the file's own, decoded to UTF-8 and otherwise untouched: in a UTF-8 file
// without a byte order mark, offset n of the text is byte n of the file. For
// HTML, XML, DOCX and PDF it is a rendering of ours: paragraphs apart by one
// blank line, one line per list item, table rows and the records of XML as one
// line with cells apart by a tab. Its lines are not the file's, so it carries
// marks ([Places]) that lead from any byte to the line of an HTML or XML file
// or the paragraph of a DOCX file; in a PDF the page is all there is.
//
// # How a format is chosen
//
// By file name first, since a program's source and a letter look alike, then
// by content ([sniff]): content decides alone where the two contradict each
// other, so a PDF called notes.txt is a PDF, and a name never makes a binary
// file text.
//
// # Hostile input
//
// Files come from anywhere. Every parser here is bounded in size, depth, pages
// and time (see [MaxFileBytes] and beside it), is fuzzed, and answers bad input with an error that
// a user can read; none of them ends the process. PDFium, which is C++, runs
// as WebAssembly in a sandbox without files, network or clock, with bounded
// memory, one fresh instance per file.
//
// # Concurrency
//
// Everything exported is safe for concurrent use. A Document is immutable once
// parsed.
//
// # Left out
//
// Scanned pages (no OCR: a PDF of images is an error that says so), and
// spreadsheets, slides, mail, e-books and rich text, which [Parser.Parse]
// refuses by name.
package document
