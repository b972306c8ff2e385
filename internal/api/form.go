package api

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"

	"github.com/ragstone/ragstone/internal/openai"
)

// What a form may hold beside its file.
const (
	maxFormFields = 16
	maxFieldBytes = 4 << 10
	formOverhead  = 256 << 10 // all of it with the lines between
)

// errFormType means that a body is not declared as a form that can hold a file.
var errFormType = errors.New("the body's content type is not multipart/form-data")

// form is a request's body of the kind multipart/form-data (RFC 7578) with one
// file, which is read as it arrives: no more of it than a buffer is ever held.
type form struct {
	parts     *multipart.Reader
	name      string            // of the field that is the file
	fields    map[string]string // the others, as far as they have been read
	filename  string            // as it was sent
	mediaType string            // as it was sent
}

// form begins to read the request's body, whose file, of at most so many bytes,
// is the field of that name.
func (c *call) form(name string, bytes int64) (*form, error) {
	kind, parameters, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || parameters["boundary"] == "" || c.Header.Get("Content-Encoding") != "" {
		return nil, errFormType
	}
	// The file's own limit, which says what it is of, comes first.
	body := c.paced(bytes + 1 + formOverhead)
	return &form{parts: multipart.NewReader(body, parameters["boundary"]), name: name, fields: map[string]string{}}, nil
}

// read reads the form to its end. It gives the file to receive, and keeps the
// fields that are known.
func (f *form) read(known func(name string) bool, receive func(io.Reader) error) error {
	seen := false
	for {
		part, err := f.parts.NextRawPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			return formError(err)
		}
		switch name := part.FormName(); {
		case name == f.name && seen, f.has(name):
			return openai.Refuse(name, openai.CodeDuplicateParameter, "Duplicate parameter: '%.64s' is given twice.", name)
		case name == f.name:
			seen = true
			if err := f.readFile(part, receive); err != nil {
				return err
			}
		case !known(name) || len(f.fields) == maxFormFields:
			return openai.Refuse(name, "unknown_parameter", "Unknown parameter: '%.64s'.", name)
		default:
			if f.fields[name], err = readField(name, part); err != nil {
				return err
			}
		}
	}
	if !seen {
		return openai.Missing(f.name)
	}
	return nil
}

func (f *form) has(name string) bool {
	_, ok := f.fields[name]
	return ok
}

func (f *form) readFile(part *multipart.Part, receive func(io.Reader) error) error {
	f.filename, f.mediaType = filename(part.Header), part.Header.Get("Content-Type")
	if f.filename == "" {
		return openai.Refuse(f.name, openai.CodeInvalidType, "Invalid type for '%s': expected a file with a name, but got a text instead.", f.name)
	}
	if len(f.mediaType) > maxFieldBytes {
		f.mediaType = ""
	}
	return receive(formReader{part})
}

// filename is the name as it was sent: multipart.Part.FileName would cut it at
// slashes by its own rules.
func filename(h textproto.MIMEHeader) string {
	_, parameters, err := mime.ParseMediaType(h.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	return parameters["filename"]
}

func readField(name string, r io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFieldBytes+1))
	if err != nil {
		return "", formError(err)
	}
	if len(text) > maxFieldBytes {
		return "", openai.Refuse(name, openai.CodeStringTooLong, "Invalid '%s': string too long. Expected a string with maximum length %d.", name, maxFieldBytes)
	}
	return string(text), nil
}

// formReader is a part whose errors are those of a form.
type formReader struct{ *multipart.Part }

func (r formReader) Read(p []byte) (int, error) {
	n, err := r.Part.Read(p)
	if err != nil && err != io.EOF {
		err = formError(err)
	}
	return n, err
}

// formError tells a body that could not be read from one that is no form.
func formError(err error) error {
	if _, ok := errors.AsType[*bodyError](err); ok {
		return err
	}
	return openai.Refuse("", "", "We could not parse the body of your request. (HINT: the body must be multipart/form-data, to its last boundary.)")
}
