package sdk

import (
	"crypto/md5"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
)

func TestFiles(t *testing.T) {
	c := client()
	const content = "Whisk two eggs into the flour.\n"
	var ids []string
	for _, purpose := range []openai.FilePurpose{openai.FilePurposeUserData, openai.FilePurposeAssistants} {
		file, err := c.Files.New(t.Context(), openai.FileNewParams{
			File:         openai.File(strings.NewReader(content), "Pfannküchen.txt", "text/plain"),
			Purpose:      purpose,
			ExpiresAfter: openai.FileNewParamsExpiresAfter{Seconds: 3600},
		})
		if err != nil {
			t.Fatal(err)
		}
		if file.Bytes != int64(len(content)) || file.Filename != "Pfannküchen.txt" || string(file.Purpose) != string(purpose) || file.ExpiresAt != file.CreatedAt+3600 {
			t.Errorf("file %s", file.RawJSON())
		}
		ids = append(ids, file.ID)
	}
	var listed []string
	for pages := c.Files.ListAutoPaging(t.Context(), openai.FileListParams{Limit: openai.Int(1), Order: openai.FileListParamsOrderAsc}); pages.Next(); {
		listed = append(listed, pages.Current().ID)
		if err := pages.Err(); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(listed, ids) {
		t.Errorf("listed %q, want %q", listed, ids)
	}
	answer, err := c.Files.Content(t.Context(), ids[0])
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); string(got) != content || err != nil {
		t.Errorf("content %q, %v", got, err)
	}
	for _, id := range ids {
		if deleted, err := c.Files.Delete(t.Context(), id); err != nil || !deleted.Deleted {
			t.Errorf("delete %s: %v", id, err)
		}
	}
	var refused *openai.Error
	if _, err := c.Files.Get(t.Context(), ids[0]); !errors.As(err, &refused) || refused.StatusCode != 404 {
		t.Errorf("a deleted file: %v", err)
	}
}

func TestUploads(t *testing.T) {
	c := client()
	const first, second = "hello ", "world"
	upload, err := c.Uploads.New(t.Context(), openai.UploadNewParams{
		Bytes: int64(len(first + second)), Filename: "big.txt", MimeType: "text/plain", Purpose: openai.FilePurposeAssistants,
	})
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, text := range []string{second, first} {
		part, err := c.Uploads.Parts.New(t.Context(), upload.ID, openai.UploadPartNewParams{Data: strings.NewReader(text)})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part.ID)
	}
	slices.Reverse(parts)
	sum := md5.Sum([]byte(first + second))
	done, err := c.Uploads.Complete(t.Context(), upload.ID, openai.UploadCompleteParams{PartIDs: parts, Md5: openai.String(hex.EncodeToString(sum[:]))})
	if err != nil {
		t.Fatal(err)
	}
	if done.Status != openai.UploadStatusCompleted || done.File.Filename != "big.txt" {
		t.Errorf("completed upload %s", done.RawJSON())
	}
	answer, err := c.Files.Content(t.Context(), done.File.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); string(got) != first+second || err != nil {
		t.Errorf("content %q, %v", got, err)
	}
	if _, err := c.Files.Delete(t.Context(), done.File.ID); err != nil {
		t.Error(err)
	}
	var refused *openai.Error
	if _, err := c.Uploads.Cancel(t.Context(), upload.ID); !errors.As(err, &refused) || refused.StatusCode != 400 {
		t.Errorf("cancel a completed upload: %v", err)
	}
}
