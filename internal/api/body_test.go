package api

import (
	"errors"
	"io"
	"net"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/ragstone/ragstone/internal/platform/account"
)

// deadlines notes the read deadlines that are set.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

// SetReadDeadline is what http.ResponseController calls.
func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

// The time a body may take grows with what has come of it, and ends with it.
func TestBodiesMustKeepAPace(t *testing.T) {
	const chunk = 64 << 10
	d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	w := newResponseWriter(d)
	began := time.Now()
	p := &paced{body: strings.NewReader(strings.Repeat("x", 4*chunk)), control: w.control, began: began}
	if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{p}, make([]byte, chunk)); n != 4*chunk || err != nil {
		t.Fatalf("read %d, %v", n, err)
	}
	if len(d.set) != 6 || !d.set[5].IsZero() {
		t.Fatalf("%d deadlines, %v; want one for each read and none at the end", len(d.set), d.set)
	}
	for i, at := range d.set[:5] {
		if want := bodyGrace + time.Duration(i)*chunk/bodyPace*time.Second; at.Sub(began) != want {
			t.Errorf("read %d may take until %s, want %s", i, at.Sub(began), want)
		}
	}
	p = &paced{body: iotest.ErrReader(errors.New("too slow")), control: w.control, began: began}
	if _, err := p.Read(make([]byte, 1)); err == nil || !d.set[len(d.set)-1].IsZero() {
		t.Errorf("a body that breaks: %v, and the deadline %v stays", err, d.set[len(d.set)-1])
	}
}

// A promise of a large body takes no memory, and one that breaks off is given
// back whole.
func TestPromisesTakeNoMemory(t *testing.T) {
	s := newTestServer(t, &fakeModel{}, account.Rates{}, func(c *Config) { c.MaxBodyBytes = 1 << 30 })
	routes := s.Config.Handler.(*api)
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(conn, "POST /v1/embeddings HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "+s.project.Secret+"\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n{")
	wait := func(fits func(int64) bool) (used int64) {
		for until := time.Now().Add(time.Minute); time.Now().Before(until); runtime.Gosched() {
			if used = routes.memory.used.Load(); fits(used) {
				break
			}
		}
		return used
	}
	if used := wait(func(n int64) bool { return n > 0 }); used != firstRead {
		t.Errorf("%d bytes are reserved for a promise, want %d", used, firstRead)
	}
	conn.Close()
	if used := wait(func(n int64) bool { return n == 0 }); used != 0 {
		t.Errorf("%d bytes stay reserved", used)
	}
}
