package vector

import (
	"errors"
	"fmt"
)

// Conditions a caller can act on. Errors of this package wrap one of them where
// it fits; test with errors.Is.
var (
	// ErrNotFound says that a collection or a point is not there.
	ErrNotFound = errors.New("not found")
	// ErrSchema says that a collection exists with another schema.
	ErrSchema = errors.New("the collection has another schema")
	// ErrInvalid says that a point, a query or an option cannot be: the text
	// says what to change. Nothing was written.
	ErrInvalid = errors.New("invalid")
	// ErrLocked says that another process, or another DB of this one, has the
	// folder open.
	ErrLocked = errors.New("the database is open elsewhere")
	// ErrFull says that the memory ceiling (Options.MaxBytes) leaves no room
	// for what is to be written.
	ErrFull = errors.New("the memory ceiling is reached")
	// ErrClosed says that the database, collection or snapshot is closed.
	ErrClosed = errors.New("closed")
	// ErrReadOnly says that the database was opened to be read only, or that an
	// earlier write failed so that nobody knows what is on the device. Reads go on;
	// open the database again to write.
	ErrReadOnly = errors.New("read-only, as opened or after a failed write; open the database again to write")
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}

// CorruptError is damage to a file of a database.
type CorruptError struct {
	Path   string // of the file
	Reason string // what is wrong with it, and where
	cause  error
}

// Error says which file is damaged and how.
func (e *CorruptError) Error() string { return fmt.Sprintf("%s is damaged: %s", e.Path, e.Reason) }

// Unwrap returns what the reader of the file found.
func (e *CorruptError) Unwrap() error { return e.cause }

func corrupt(path string, cause error) *CorruptError {
	return &CorruptError{Path: path, Reason: cause.Error(), cause: cause}
}

// Damage is a part of a collection that could not be read. Opening sets such
// files aside and goes on without them; what they held is lost unless a backup
// has it, and the collection says so until it is dropped.
type Damage struct {
	// File is the damaged file's name in the collection's folder; the file
	// itself lies in the folder quarantine beside it.
	File string `json:"file"`
	// Reason is what is wrong with it.
	Reason string `json:"reason"`
	// Points is how many points may be lost, −1 if nobody knows.
	Points int `json:"points"`
}
