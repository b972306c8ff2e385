package api

import (
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/files"
)

// transferTimeout bounds the time that the content of a file may take to come or
// go, if it keeps its pace (body.go).
const transferTimeout = time.Hour

// timeout is the time that the answer of a route may take.
func (a *api) timeout(r route) time.Duration {
	if r.has(movesContent) {
		return max(transferTimeout, a.AnswerTimeout)
	}
	return a.AnswerTimeout
}

// mostFiles is the most items of a page of files, and their number if the
// request does not say.
const mostFiles = 10_000

func (a *api) listFiles(c *call) error {
	page, err := c.pageOf("desc", mostFiles, mostFiles)
	if err != nil {
		return err
	}
	list, err := a.Files.List(c.Context(), c.caller, c.URL.Query().Get("purpose"), page)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, list)
}

// createFile stores the file as it arrives. What the form says of it may come
// before or after it.
func (a *api) createFile(c *call) (err error) {
	form, err := c.form("file", files.MaxFileBytes)
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
	err = form.read(openai.FileFormField, func(r io.Reader) (err error) {
		content, err = a.Files.Receive(c.Context(), c.caller, form.fields["purpose"], r)
		return err
	})
	if err != nil {
		return err
	}
	request, err := openai.ReadFileForm(form.fields, form.filename)
	if err != nil {
		return err
	}
	named = true
	file, err := a.Files.Create(c.Context(), c.caller, request, form.mediaType, content)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, file)
}

// discard deletes content that a refused request has brought.
func (a *api) discard(c *call, content files.Received) {
	if err := a.Files.Discard(c.Context(), content); err != nil {
		a.Log.Warn("delete the content of a refused request", "request", c.id, "error", err)
	}
}

func (a *api) retrieveFile(c *call) error {
	file, err := a.Files.File(c.Context(), c.caller, c.PathValue("file_id"))
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, file)
}

func (a *api) deleteFile(c *call) error {
	id := c.PathValue("file_id")
	if err := a.Files.Delete(c.Context(), c.caller, id); err != nil {
		return err
	}
	return c.reply(http.StatusOK, openai.Deleted{Object: "file", ID: id, Deleted: true})
}

// retrieveFileContent sends the bytes as they came, or the part of them that is
// asked for, and never as anything that a browser would show.
func (a *api) retrieveFileContent(c *call) error {
	file, err := a.Files.File(c.Context(), c.caller, c.PathValue("file_id"))
	if err != nil {
		return err
	}
	h := c.w.Header()
	tag := `"` + file.ID + `"` // its content never changes
	part, asked, err := c.section(file.Bytes, tag)
	if err != nil {
		h.Set("content-range", fmt.Sprintf("bytes */%d", file.Bytes))
		return err
	}
	content, err := a.Files.Content(c.Context(), c.caller, file.ID, part)
	if err != nil {
		return err
	}
	defer content.Close()
	first := make([]byte, 32<<10) // read before the status, which says whether it can be
	n, err := io.ReadFull(content, first)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	h.Set("content-type", "application/octet-stream")
	h.Set("content-length", strconv.FormatInt(part.Length, 10))
	h.Set("content-disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Filename}))
	h.Set("accept-ranges", "bytes")
	h.Set("etag", tag)
	status := http.StatusOK
	if asked {
		status = http.StatusPartialContent
		h.Set("content-range", fmt.Sprintf("bytes %d-%d/%d", part.Offset, part.Offset+part.Length-1, file.Bytes))
	}
	c.w.WriteHeader(status)
	if _, err := c.w.Write(first[:n]); err != nil {
		return &goneError{err}
	}
	return c.copyOut(content, first)
}

// copyOut writes what r has to its end. A failure of the answer is a *goneError,
// one of r is an error that cuts the answer short.
func (c *call) copyOut(r io.Reader, buffer []byte) error {
	for {
		n, err := r.Read(buffer)
		if _, failed := c.w.Write(buffer[:n]); failed != nil {
			return &goneError{failed}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("send a file: %w", err)
		}
	}
}
