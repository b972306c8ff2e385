package document

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// sniffBytes is how much of a file's head is enough to know its format: what
// mimetype itself looks at.
const sniffBytes = 3072

// sniff returns the format of a file, or an error that wraps ErrUnsupported or
// ErrNoText. It needs the head of the file only, sniffBytes long.
func sniff(name string, head []byte) (Format, error) {
	if len(head) == 0 {
		return "", fmt.Errorf("%w: the file is empty", ErrNoText)
	}
	ext := extension(name)
	mime := mimetype.Detect(head[:min(len(head), sniffBytes)])
	if bytes.HasPrefix(head, []byte("%PDF-")) || mime.Is("application/pdf") {
		return PDF, nil
	}
	if isText(head[:min(len(head), sniffBytes)]) {
		return textFormat(ext, mime)
	}
	return binaryFormat(ext, mime)
}

// extension is the lower-case extension of a name with its dot, or the whole
// name where it has none ("makefile").
func extension(name string) string {
	base := strings.ToLower(path.Base(strings.ReplaceAll(name, `\`, "/")))
	if ext := path.Ext(base); ext != "" {
		return ext
	}
	return base
}

// textFormat chooses among the formats that are text by extension, and by
// content where the extension says nothing.
func textFormat(ext string, mime *mimetype.MIME) (Format, error) {
	switch ext {
	case ".md", ".markdown", ".mdown", ".mkd", ".mdx":
		return Markdown, nil
	case ".html", ".htm", ".xhtml":
		return HTML, nil
	case ".xml", ".rss", ".atom":
		return XML, nil
	case ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".yaml", ".yml":
		return Data, nil
	case ".txt", ".text", ".rst", ".adoc", ".org", ".tex", ".log", "readme", "license", "notice":
		return Text, nil
	case ".eml", ".ipynb", ".rtf":
		return "", unsupported(ext)
	case ".svg":
		return "", fmt.Errorf("%w: an image", ErrUnsupported)
	}
	if isCodeExtension(ext) {
		return Code, nil
	}
	switch {
	case mime.Is("text/html"):
		return HTML, nil
	case mime.Is("text/rtf"):
		return "", unsupported(".rtf")
	case strings.HasPrefix(mime.String(), "text/x-"): // a script by its first line
		return Code, nil
	}
	return Text, nil
}

// binaryFormat finds the one binary format that is read here, and a reason for
// the others.
func binaryFormat(ext string, mime *mimetype.MIME) (Format, error) {
	kind, _, _ := strings.Cut(mime.String(), "/")
	switch {
	case mime.Is("application/vnd.openxmlformats-officedocument.wordprocessingml.document"):
		return DOCX, nil
	case ext == ".docx" && mime.Is("application/zip"):
		return DOCX, nil
	case ext == ".pdf":
		return PDF, nil // for PDFium to judge
	case ext == ".docx" && mime.Is("application/x-ole-storage"):
		return "", ErrEncrypted // MS-OFFCRYPTO wraps the zip in an OLE container
	case isLaterFormat(mime.Extension()):
		return "", unsupported(mime.Extension())
	case isLaterFormat(ext):
		return "", unsupported(ext)
	case kind == "image", kind == "audio":
		return "", fmt.Errorf("%w: an %s file", ErrUnsupported, kind)
	case kind == "video", kind == "font":
		return "", fmt.Errorf("%w: a %s file", ErrUnsupported, kind)
	}
	return "", fmt.Errorf("%w: a binary file", ErrUnsupported)
}

func unsupported(ext string) error { return fmt.Errorf("%w yet: %s", ErrUnsupported, ext) }

// isLaterFormat tells the formats that hold text we do not read so far.
func isLaterFormat(ext string) bool {
	switch ext {
	case ".pptx", ".xlsx", ".epub", ".odt", ".ods", ".odp", ".doc", ".xls", ".ppt", ".msg", ".rtf", ".pages":
		return true
	}
	return false
}

// isCodeExtension tells source code and configuration by its extension or, for
// files without one, by its name.
func isCodeExtension(ext string) bool {
	switch ext {
	case ".go", ".mod", ".sum", ".py", ".pyi", ".rb", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".vue", ".svelte",
		".java", ".kt", ".kts", ".scala", ".groovy", ".gradle", ".clj", ".cs", ".fs", ".vb",
		".c", ".h", ".cc", ".cpp", ".cxx", ".hh", ".hpp", ".m", ".mm", ".rs", ".swift", ".zig", ".d", ".s", ".asm",
		".php", ".pl", ".pm", ".lua", ".r", ".jl", ".hs", ".ml", ".mli", ".ex", ".exs", ".erl", ".elm", ".dart", ".nim",
		".sh", ".bash", ".zsh", ".fish", ".ps1", ".bat", ".cmd", ".sql", ".proto", ".graphql", ".thrift",
		".css", ".scss", ".sass", ".less", ".xsd", ".xsl", ".toml", ".ini", ".cfg", ".conf", ".properties",
		".env", ".tf", ".hcl", ".nix", ".cmake", ".mk", ".bzl", ".el", ".lisp", ".scm", ".vim", ".awk", ".sed",
		"makefile", "dockerfile", "jenkinsfile", "rakefile", "gemfile", "vagrantfile", "cmakelists":
		return true
	}
	return false
}
