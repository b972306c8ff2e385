package server

import (
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// limitedListener refuses connections beyond a number. They are answered at once
// and closed: waiting ones would only pile up in the kernel, and their callers
// would not know why.
type limitedListener struct {
	net.Listener
	most int64
	open atomic.Int64
	warn func() // says so, once in a while

	// refusal is written to a connection that is refused; empty where the
	// protocol has none that fits.
	refusal string
}

// plainRefusal is the refusal in HTTP.
const plainRefusal = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nretry-after: 1\r\nconnection: close\r\n\r\n" +
	`{"error":{"message":"The server has as many connections as it may have. Please try again shortly.","type":"service_unavailable_error","param":null,"code":"server_is_overloaded"}}` + "\n"

// limitConnections returns l if most is zero.
func limitConnections(l net.Listener, most int, refusal string, log *slog.Logger) net.Listener {
	if most <= 0 {
		return l
	}
	limited := &limitedListener{Listener: l, most: int64(most), refusal: refusal}
	limited.warn = occasionally(10*time.Second, func() {
		log.Warn("connections are refused", "max_connections", most)
	})
	return limited
}

// occasionally returns a function that calls do, but not again before so much
// time has passed.
func occasionally(every time.Duration, do func()) func() {
	var last atomic.Int64
	return func() {
		now := time.Now().UnixNano()
		if before := last.Load(); now-before >= int64(every) && last.CompareAndSwap(before, now) {
			do()
		}
	}
}

// Accept implements net.Listener.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.most {
			return &countedConn{Conn: c, done: sync.OnceFunc(func() { l.open.Add(-1) })}, nil
		}
		l.open.Add(-1)
		l.warn()
		refuse(c, l.refusal)
	}
}

// refuse closes a connection, saying why if there is something to say. A new
// connection has room for so few bytes, so that this does not wait.
func refuse(c net.Conn, refusal string) {
	c.SetDeadline(time.Now().Add(time.Second))
	io.WriteString(c, refusal)
	c.Close()
}

// countedConn is a connection that is counted until it is closed.
type countedConn struct {
	net.Conn
	done func()
}

// Close implements net.Conn.
func (c *countedConn) Close() error {
	c.done()
	return c.Conn.Close()
}
