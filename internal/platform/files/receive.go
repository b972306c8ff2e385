package files

import (
	"context"
	"fmt"
	"io"
	"math"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

// The most bytes of what can be received at once.
const (
	MaxFileBytes  = 512 << 20
	MaxBatchBytes = 200 << 20 // of a file for a batch
	MaxPartBytes  = 64 << 20
)

// TooLargeError means that what was sent has more bytes than it may.
type TooLargeError struct {
	What  string // a file, a file of purpose batch, a part
	Limit int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("%s is larger than %d bytes", e.What, e.Limit)
}

// Received is content that is stored and that no row names yet. Create or AddPart
// name it; Discard deletes it, and if none of them is called Sweep does in time.
type Received struct {
	blob  state.Blob
	lines error // why it is not lines of JSON; nil also if nobody looked
}

// Receive stores the content of a file as it arrives. The purpose, empty if it
// is not known yet, says how large it may be and what is checked. An error of r
// is returned as it is.
func (s *Service) Receive(ctx context.Context, caller account.Caller, purpose string, r io.Reader) (Received, error) {
	what, most := limit(purpose)
	if purpose != "" && purpose != openai.PurposeFineTune {
		return s.receive(ctx, caller, &limited{r: r, left: most, over: &TooLargeError{what, most}})
	}
	lines := newLineChecker()
	content, err := s.receive(ctx, caller, io.TeeReader(&limited{r: r, left: most, over: &TooLargeError{what, most}}, lines))
	content.lines = lines.problem()
	return content, err
}

// ReceivePart is Receive for a part of an upload.
func (s *Service) ReceivePart(ctx context.Context, caller account.Caller, r io.Reader) (Received, error) {
	return s.receive(ctx, caller, &limited{r: r, left: MaxPartBytes, over: &TooLargeError{"a part", MaxPartBytes}})
}

func (s *Service) receive(ctx context.Context, caller account.Caller, r io.Reader) (Received, error) {
	room, err := s.room(ctx, caller, 0)
	if err != nil {
		return Received{}, err
	}
	r = &limited{r: r, left: room, over: &state.StorageError{Most: s.MaxProjectBytes, Stored: s.MaxProjectBytes - room, Wanted: room + 1}}
	key := caller.Tenant.ProjectID + "/" + state.NewID("blob_")
	n, err := s.bucket.Write(ctx, key, r)
	if err != nil {
		return Received{}, err
	}
	return Received{blob: state.Blob{Key: key, Bytes: n}}, nil
}

// room is how many bytes the caller's project may store beyond those it has, at
// least wanted, or a *state.StorageError. It is an early answer: what many store at
// once, the rows count.
func (s *Service) room(ctx context.Context, caller account.Caller, wanted int64) (int64, error) {
	if s.MaxProjectBytes <= 0 {
		return math.MaxInt64 - 1, nil
	}
	stored, err := s.rows.StoredBytes(ctx, caller.Tenant.ProjectID)
	if err != nil {
		return 0, err
	}
	left := max(0, s.MaxProjectBytes-stored)
	if left < wanted {
		return 0, &state.StorageError{Most: s.MaxProjectBytes, Stored: stored, Wanted: wanted}
	}
	return left, nil
}

// Discard deletes content that nothing will name.
func (s *Service) Discard(ctx context.Context, r Received) error {
	if r.blob.Key == "" {
		return nil
	}
	return s.bucket.Delete(context.WithoutCancel(ctx), r.blob.Key)
}

func limit(purpose string) (what string, most int64) {
	if purpose == openai.PurposeBatch {
		return "a file of purpose batch", MaxBatchBytes
	}
	return "a file", MaxFileBytes
}

// limited reads what r has, which is an error if that is more than left.
type limited struct {
	r    io.Reader
	left int64
	over error
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, l.over
	}
	return n, err
}
