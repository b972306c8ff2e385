package api

import (
	"io"
	"net/http"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/files"
)

func (a *api) createUpload(c *call) error {
	var request openai.UploadRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	return c.replyUpload(a.Files.CreateUpload(c.Context(), c.caller, request))
}

func (c *call) replyUpload(upload openai.Upload, err error) error {
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, upload)
}

// addUploadPart stores the part as it arrives, if the upload takes one.
func (a *api) addUploadPart(c *call) error {
	id := c.PathValue("upload_id")
	if err := a.Files.Pending(c.Context(), c.caller, id); err != nil {
		return err
	}
	form, err := c.form("data", files.MaxPartBytes)
	if err != nil {
		return err
	}
	var content files.Received
	named := false // by a request that was whole
	defer func() {
		if !named {
			a.discard(c, content)
		}
	}()
	err = form.read(func(string) bool { return false }, func(r io.Reader) (err error) {
		content, err = a.Files.ReceivePart(c.Context(), c.caller, r)
		return err
	})
	if err != nil {
		return err
	}
	named = true
	part, err := a.Files.AddPart(c.Context(), c.caller, id, content)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, part)
}

func (a *api) completeUpload(c *call) error {
	var request openai.CompleteUploadRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	return c.replyUpload(a.Files.CompleteUpload(c.Context(), c.caller, c.PathValue("upload_id"), request))
}

func (a *api) cancelUpload(c *call) error {
	return c.replyUpload(a.Files.CancelUpload(c.Context(), c.caller, c.PathValue("upload_id")))
}
