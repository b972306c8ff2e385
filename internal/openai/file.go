package openai

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// File is a file of a project.
type File struct {
	ID            string  `json:"id"`
	Object        string  `json:"object"` // file
	Bytes         int64   `json:"bytes"`
	CreatedAt     int64   `json:"created_at"`
	ExpiresAt     *int64  `json:"expires_at"` // null: never
	Filename      string  `json:"filename"`
	Purpose       string  `json:"purpose"`
	Status        string  `json:"status"`         // processed
	StatusDetails *string `json:"status_details"` // null
}

// What a file may be uploaded for.
const (
	PurposeAssistants = "assistants"
	PurposeBatch      = "batch"
	PurposeFineTune   = "fine-tune"
	PurposeVision     = "vision"
	PurposeUserData   = "user_data"
	PurposeEvals      = "evals"
)

var purposes = []string{PurposeAssistants, PurposeBatch, PurposeFineTune, PurposeVision, PurposeUserData, PurposeEvals}

// Limits of a file's life, in seconds.
const (
	MinFileSeconds = 3600
	MaxFileSeconds = 2_592_000
)

// FileRequest is what the form of POST /files says beside the file's content.
type FileRequest struct {
	Filename    string
	Purpose     string
	KeepSeconds int64 // after its creation; 0: not said
}

// FileFormField is whether a form of POST /files may have a field of that name,
// which is not the file.
func FileFormField(name string) bool {
	return slices.Contains([]string{"purpose", "expires_after[anchor]", "expires_after[seconds]", "expires_after.anchor", "expires_after.seconds"}, name)
}

// ReadFileForm reads a form's fields, by name, and the name of its file. An error
// is a *RequestError.
func ReadFileForm(fields map[string]string, filename string) (r FileRequest, err error) {
	if r.Filename, err = cleanFilename(filename); err != nil {
		return r, err
	}
	purpose, ok := fields["purpose"]
	if !ok {
		return r, Missing("purpose")
	}
	if r.Purpose, err = purposeOf(purpose); err != nil {
		return r, err
	}
	anchor, anchored := formField(fields, "anchor")
	seconds, timed := formField(fields, "seconds")
	if !anchored && !timed {
		return r, nil
	}
	n, err := strconv.ParseInt(seconds, 10, 64)
	if timed && err != nil {
		return r, Refuse("expires_after.seconds", CodeInvalidType, "Invalid type for 'expires_after.seconds': expected an integer, but got a string instead.")
	}
	r.KeepSeconds, err = keepSeconds(anchor, anchored, n, timed)
	return r, err
}

// formField finds a field of expires_after in either of the spellings that SDKs
// give it.
func formField(fields map[string]string, name string) (string, bool) {
	if text, ok := fields["expires_after["+name+"]"]; ok {
		return text, true
	}
	text, ok := fields["expires_after."+name]
	return text, ok
}

func purposeOf(text string) (string, error) {
	if !slices.Contains(purposes, text) {
		return "", InvalidValue("purpose", text, purposes...)
	}
	return text, nil
}

func keepSeconds(anchor string, anchored bool, seconds int64, timed bool) (int64, error) {
	const path = "expires_after.seconds"
	switch {
	case !anchored:
		return 0, Missing("expires_after.anchor")
	case anchor != "created_at":
		return 0, InvalidValue("expires_after.anchor", anchor, "created_at")
	case !timed:
		return 0, Missing(path)
	case seconds < MinFileSeconds:
		return 0, Refuse(path, CodeIntegerBelowMin, "Invalid '%s': integer below minimum value. Expected a value >= %d, but got %d instead.", path, MinFileSeconds, seconds)
	case seconds > MaxFileSeconds:
		return 0, Refuse(path, CodeIntegerAboveMax, "Invalid '%s': integer above maximum value. Expected a value <= %d, but got %d instead.", path, MaxFileSeconds, seconds)
	}
	return seconds, nil
}

// maxFilename is the bytes of a file name that the file systems we know allow.
const maxFilename = 255

// cleanFilename is a file's name without the folders that its sender put before
// it. Nothing is ever stored under it; but who downloads the file may do so.
func cleanFilename(name string) (string, error) {
	if at := strings.LastIndexAny(name, `/\`); at >= 0 {
		name = name[at+1:]
	}
	bad := !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl)
	if bad || name == "" || name == "." || name == ".." {
		return "", Refuse("filename", CodeInvalidValue, "Invalid 'filename': it must be the name of a file in UTF-8 without control characters.")
	}
	if len(name) > maxFilename {
		return "", Refuse("filename", CodeStringTooLong, "Invalid 'filename': string too long. Expected a string with maximum length %d, but got a string with length %d instead.", maxFilename, len(name))
	}
	return name, nil
}

// Upload is a file that arrives in parts.
type Upload struct {
	ID        string `json:"id"`
	Object    string `json:"object"` // upload
	Bytes     int64  `json:"bytes"`
	CreatedAt int64  `json:"created_at"`
	Filename  string `json:"filename"`
	Purpose   string `json:"purpose"`
	Status    string `json:"status"` // pending, completed, cancelled or expired
	ExpiresAt int64  `json:"expires_at"`
	File      *File  `json:"file"` // null until it is completed
}

// MaxUploadBytes is the size of the largest file that may arrive in parts.
const MaxUploadBytes = 8 << 30

// UploadRequest is the body of POST /uploads.
type UploadRequest struct {
	FileRequest
	Bytes    int64
	MimeType string
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *UploadRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = UploadRequest{}
		r.Filename = o.required("filename", cleanFilename)
		r.Purpose = o.required("purpose", purposeOf)
		r.MimeType = o.required("mime_type", mediaType)
		switch bytes := o.integer("bytes"); {
		case bytes == nil:
			o.state.fail(Missing("bytes"))
		case *bytes < 1:
			o.state.fail(Refuse("bytes", CodeIntegerBelowMin, "Invalid 'bytes': integer below minimum value. Expected a value >= 1, but got %d instead.", *bytes))
		case *bytes > MaxUploadBytes:
			o.state.fail(Refuse("bytes", CodeIntegerAboveMax, "Invalid 'bytes': integer above maximum value. Expected a value <= %d, but got %d instead.", int64(MaxUploadBytes), *bytes))
		default:
			r.Bytes = *bytes
		}
		r.KeepSeconds = o.expiresAfter("expires_after")
	})
}

// required takes a text that must be there, and what read makes of it.
func (o *object) required(name string, read func(string) (string, error)) string {
	text := o.text(name)
	if text == nil {
		o.state.fail(Missing(join(o.path, name)))
		return ""
	}
	value, err := read(*text)
	if err != nil {
		o.state.fail(err)
	}
	return value
}

func mediaType(text string) (string, error) {
	kind, sub, ok := strings.Cut(text, "/")
	if !ok || kind == "" || sub == "" || strings.ContainsFunc(text, unicode.IsControl) || len(text) > maxFilename {
		return "", Refuse("mime_type", CodeInvalidValue, "Invalid 'mime_type': expected a media type such as text/plain, but got '%s'.", abbreviate(text))
	}
	return text, nil
}

// expiresAfter takes the optional time that a file is to be kept, in seconds.
func (o *object) expiresAfter(name string) int64 {
	e := o.inner(name)
	if e == nil {
		return 0
	}
	anchor, seconds := e.text("anchor"), e.integer("seconds")
	e.rejectUnknown(unknownParameter)
	var n int64
	if seconds != nil {
		n = *seconds
	}
	keep, err := keepSeconds(textOr(anchor), anchor != nil, n, seconds != nil)
	if err != nil {
		o.state.fail(err)
	}
	return keep
}

// UploadPart is a part of an upload.
type UploadPart struct {
	ID        string `json:"id"`
	Object    string `json:"object"` // upload.part
	CreatedAt int64  `json:"created_at"`
	UploadID  string `json:"upload_id"`
}

// CompleteUploadRequest is the body of POST /uploads/{id}/complete.
type CompleteUploadRequest struct {
	PartIDs []string
	MD5     string // of the whole, 32 hexadecimal digits; empty: not said
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *CompleteUploadRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = CompleteUploadRequest{PartIDs: o.texts("part_ids"), MD5: strings.ToLower(textOr(o.text("md5")))}
		if o.value.field("part_ids") == nil {
			o.state.fail(Missing("part_ids"))
		}
	})
}
