package files

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/state"
)

const (
	// uploadLife is how long an upload waits for its parts and its end.
	uploadLife = time.Hour

	// maxParts bounds the parts of an upload, and so its rows. 8 GB in the
	// largest parts are 128.
	maxParts = 10_000
)

// CreateUpload begins a file that arrives in parts. The error is a
// *state.StorageError if there is no room for them now.
func (s *Service) CreateUpload(ctx context.Context, caller account.Caller, r openai.UploadRequest) (openai.Upload, error) {
	if r.Purpose == openai.PurposeBatch {
		if err := check(r.Purpose, r.Filename, r.Bytes, nil); err != nil {
			return openai.Upload{}, err
		}
	}
	if _, err := s.room(ctx, caller, r.Bytes); err != nil {
		return openai.Upload{}, err
	}
	now := s.now()
	u := state.Upload{
		ID:        state.NewID("upload_"),
		ProjectID: caller.Tenant.ProjectID,
		CreatedAt: now,
		ExpiresAt: now.Add(uploadLife),
		Name:      r.Filename,
		Purpose:   r.Purpose,
		MediaType: r.MimeType,
		Bytes:     r.Bytes,
		KeepFor:   time.Duration(r.KeepSeconds) * time.Second,
		Status:    state.UploadPending,
	}
	if err := s.rows.AddUpload(ctx, u); err != nil {
		return openai.Upload{}, err
	}
	return wireUpload(u), nil
}

func wireUpload(u state.Upload) openai.Upload {
	return openai.Upload{
		ID:        u.ID,
		Object:    "upload",
		Bytes:     u.Bytes,
		CreatedAt: u.CreatedAt.Unix(),
		Filename:  u.Name,
		Purpose:   u.Purpose,
		Status:    u.Status,
		ExpiresAt: u.ExpiresAt.Unix(),
	}
}

// Pending reports why no part can be added to an upload: a *NotFoundError, or a
// *state.UploadError for one that has ended.
func (s *Service) Pending(ctx context.Context, caller account.Caller, id string) error {
	_, err := s.pending(ctx, caller, id)
	return err
}

func (s *Service) pending(ctx context.Context, caller account.Caller, id string) (state.Upload, error) {
	u, err := s.rows.Upload(ctx, caller.Tenant.ProjectID, id, s.now())
	if err == nil && u.Status != state.UploadPending {
		err = &state.UploadError{ID: id, Status: u.Status}
	}
	return u, notFound(err, "Upload", id)
}

// AddPart makes a part of an upload of content that was received. If the upload
// is not there or has ended, the content is discarded and the error is as
// Pending's; so it is with a *state.StorageError.
func (s *Service) AddPart(ctx context.Context, caller account.Caller, id string, content Received) (openai.UploadPart, error) {
	var none openai.UploadPart
	err := s.Pending(ctx, caller, id)
	if err == nil {
		err = s.roomForPart(ctx, id)
	}
	if err != nil {
		return none, errors.Join(err, s.Discard(ctx, content))
	}
	p := state.Part{ID: state.NewID("part_"), UploadID: id, CreatedAt: s.now(), Blob: content.blob}
	err = s.rows.AddPart(ctx, caller.Tenant.ProjectID, p, s.MaxProjectBytes)
	_, ended := errors.AsType[*state.UploadError](err)
	if _, full := errors.AsType[*state.StorageError](err); ended || full {
		err = errors.Join(err, s.Discard(ctx, content))
	}
	if err != nil {
		return none, notFound(err, "Upload", id)
	}
	return openai.UploadPart{ID: p.ID, Object: "upload.part", CreatedAt: p.CreatedAt.Unix(), UploadID: id}, nil
}

func (s *Service) roomForPart(ctx context.Context, id string) error {
	parts, err := s.rows.Parts(ctx, id)
	if err == nil && len(parts) >= maxParts {
		err = openai.Refuse("data", openai.CodeInvalidValue, "The upload has %d parts, and may not have more. Send larger parts, up to 64 MB.", maxParts)
	}
	return err
}

// CompleteUpload makes the file of an upload. An *openai.RequestError says what
// is wrong with its parts, which the upload keeps.
func (s *Service) CompleteUpload(ctx context.Context, caller account.Caller, id string, r openai.CompleteUploadRequest) (openai.Upload, error) {
	var none openai.Upload
	u, err := s.pending(ctx, caller, id)
	if err != nil {
		return none, err
	}
	parts, err := s.rows.Parts(ctx, id)
	if err != nil {
		return none, err
	}
	pieces, err := inOrder(parts, r.PartIDs, u.Bytes)
	if err != nil {
		return none, err
	}
	if err := s.verify(ctx, u, pieces, r.MD5); err != nil {
		return none, err
	}
	request := openai.FileRequest{Filename: u.Name, Purpose: u.Purpose, KeepSeconds: int64(u.KeepFor / time.Second)}
	f := s.newFile(caller, request, u.MediaType, u.Bytes)
	if err := s.rows.CompleteUpload(ctx, id, f, r.PartIDs); err != nil {
		return none, notFound(err, "Upload", id)
	}
	u.Status = state.UploadCompleted
	wire, file := wireUpload(u), wireFile(f)
	wire.File = &file
	return wire, nil
}

// inOrder returns the blobs of parts in the order of their ids, which must name
// as many bytes as the whole has.
func inOrder(parts []state.Part, ids []string, bytes int64) ([]state.Blob, error) {
	of := map[string]state.Blob{}
	for _, p := range parts {
		of[p.ID] = p.Blob
	}
	var pieces []state.Blob
	var sum int64
	for _, id := range ids {
		piece, ok := of[id]
		if !ok {
			return nil, openai.Refuse("part_ids", openai.CodeInvalidValue, "Invalid 'part_ids': the upload has no part '%.64s', or it is named twice.", id)
		}
		delete(of, id)
		pieces = append(pieces, piece)
		sum += piece.Bytes
	}
	if sum != bytes {
		return nil, openai.Refuse("part_ids", openai.CodeInvalidValue, "Invalid 'part_ids': the parts have %d bytes, and the upload was created for %d.", sum, bytes)
	}
	return pieces, nil
}

// verify reads the whole if it must equal a checksum or be lines of JSON.
func (s *Service) verify(ctx context.Context, u state.Upload, pieces []state.Blob, want string) error {
	hash, lines := md5.New(), newLineChecker()
	var into []io.Writer
	if want != "" {
		into = append(into, hash)
	}
	if u.Purpose == openai.PurposeFineTune {
		into = append(into, lines)
	}
	if into == nil {
		return nil
	}
	whole := s.join(ctx, pieces)
	defer whole.Close()
	if _, err := io.Copy(io.MultiWriter(into...), whole); err != nil {
		return err
	}
	if got := hex.EncodeToString(hash.Sum(nil)); want != "" && got != want {
		return openai.Refuse("md5", openai.CodeInvalidValue, "Invalid 'md5': the parts have the MD5 checksum %s, not the one given.", got)
	}
	if u.Purpose != openai.PurposeFineTune {
		return nil
	}
	return check(u.Purpose, u.Name, u.Bytes, lines.problem())
}

// CancelUpload ends an upload, with the errors of Pending.
func (s *Service) CancelUpload(ctx context.Context, caller account.Caller, id string) (openai.Upload, error) {
	u, err := s.pending(ctx, caller, id)
	if err == nil {
		err = s.rows.CancelUpload(ctx, id, s.now())
	}
	if err != nil {
		return openai.Upload{}, notFound(err, "Upload", id)
	}
	u.Status = state.UploadCancelled
	return wireUpload(u), nil
}
