package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// How slowly a body may come: its sender has bodyGrace, and a second more for
// every bodyPace bytes that have come.
const (
	bodyGrace = 30 * time.Second
	bodyPace  = 16 << 10
)

var (
	// errContentType means that a body is not declared as JSON.
	errContentType = errors.New("the body's content type is not application/json")

	// errBodyMemory means that the requests which are being read take all the
	// memory that they may.
	errBodyMemory = errors.New("the memory for requests is used up")
)

// memory is a number of bytes that requests share.
type memory struct {
	most int64
	used atomic.Int64
}

// take takes n bytes, or returns errBodyMemory.
func (m *memory) take(n int64) error {
	if m.used.Add(n) > m.most {
		m.used.Add(-n)
		return errBodyMemory
	}
	return nil
}

func (m *memory) give(n int64) { m.used.Add(-n) }

// reserve takes bytes for the call, which its end gives back.
func (c *call) reserve(n int64) error {
	if err := c.api.memory.take(n); err != nil {
		return err
	}
	c.reserved += n
	return nil
}

// release gives back all but keep of what the call has reserved.
func (c *call) release(keep int64) {
	c.api.memory.give(c.reserved - keep)
	c.reserved = keep
}

// paced reads a body whose sender must keep a pace, and whose connection breaks
// if it does not.
type paced struct {
	body    io.Reader
	control *http.ResponseController
	began   time.Time
	n       int64
}

// paced returns the request's body, of at most limit bytes.
func (c *call) paced(limit int64) io.Reader {
	return &paced{body: http.MaxBytesReader(c.w.ResponseWriter, c.Body, limit), control: c.w.control, began: time.Now()}
}

// Read implements io.Reader. At the end of the body the server goes on reading
// only to notice that the caller has gone.
func (p *paced) Read(b []byte) (int, error) {
	p.control.SetReadDeadline(p.began.Add(bodyGrace + time.Duration(p.n/bodyPace)*time.Second))
	n, err := p.body.Read(b)
	p.n += int64(n)
	if err != nil {
		p.control.SetReadDeadline(time.Time{})
		err = bodyEnd(err)
	}
	return n, err
}

// bodyEnd tells the end of a body from what broke it.
func bodyEnd(err error) error {
	if err == io.EOF {
		return err
	}
	return &bodyError{err}
}

// jsonBody returns the request's body, which must be declared as JSON. The
// second call returns what the first did.
func (c *call) jsonBody() ([]byte, error) {
	if c.body != nil {
		return c.body, nil
	}
	kind, parameters, err := mime.ParseMediaType(c.Header.Get("Content-Type"))
	charset := parameters["charset"]
	if err != nil || kind != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") || c.Header.Get("Content-Encoding") != "" {
		return nil, errContentType
	}
	c.body, err = c.readAll(c.paced(c.api.MaxBodyBytes), c.ContentLength)
	return c.body, err
}

// firstRead is how much of a body is read before its sender has shown that there
// is more: what a header promises takes no memory.
const firstRead = 16 << 10

// readAll reads to the end, in memory that is reserved as it grows.
func (c *call) readAll(r io.Reader, length int64) ([]byte, error) {
	size := int64(firstRead)
	if length >= 0 {
		size = min(size, length+1) // and one, to see the end
	}
	held := c.reserved
	if err := c.reserve(size); err != nil {
		return nil, err
	}
	data := make([]byte, 0, size)
	for {
		n, err := r.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case err == io.EOF:
			c.release(held + int64(cap(data)))
			return data, nil
		case err != nil:
			return nil, err
		case len(data) < cap(data):
			continue
		}
		size = 2 * int64(cap(data))
		if err := c.reserve(size); err != nil { // beside the old, until that is copied
			return nil, err
		}
		grown := make([]byte, len(data), size)
		copy(grown, data)
		data = grown
	}
}

// Memory that decoding takes for each byte of a text and for each value in it, as
// measured by TestDecodingTakesNoMoreThanReserved.
const (
	decodedByte  = 4
	decodedValue = 440
)

// decode reads the body into a request of the wire format.
func (c *call) decode(request json.Unmarshaler) error {
	body, err := c.jsonBody()
	if err != nil {
		return err
	}
	held := c.reserved
	if err := c.reserve(decodedByte*int64(len(body)) + decodedValue*mostValues(body)); err != nil {
		return err
	}
	err = request.UnmarshalJSON(body)
	c.release(held)
	return err
}

// mostValues bounds the values in a JSON text: each but the first comes after a
// bracket, a brace, a comma or a colon.
func mostValues(body []byte) int64 {
	const most = 400_000 // decoding refuses more
	n := int64(1)
	for _, b := range body {
		switch b {
		case '[', '{', ',', ':':
			n++
		}
	}
	return min(n, most)
}
