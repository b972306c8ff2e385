package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate serves a certificate from files and reads them again when they
// change, so that a renewed one needs no restart. While the new files do not
// fit together the old certificate stays.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex // guards what follows
	current *tls.Certificate
	read    [2]stamp  // of the files, when current was read or failed to be
	checked time.Time // when they were last compared
}

// stamp tells a file's contents from those it had before.
type stamp struct {
	modified time.Time
	size     int64
}

// certificateCheck is how often the files are looked at, at most.
const certificateCheck = time.Second

// ErrCertificate means that tls-cert and tls-key name no certificate and its key.
var ErrCertificate = errors.New("the certificate cannot be used")

func openCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, checked: time.Now()}
	c.read = c.stamps()
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, nil
}

// load reads the files.
func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("%w: %s with the key %s: %w", ErrCertificate, c.certFile, c.keyFile, err)
	}
	c.current = &pair
	return nil
}

func (c *certificate) stamps() (stamps [2]stamp) {
	for i, name := range []string{c.certFile, c.keyFile} {
		if info, err := os.Stat(name); err == nil {
			stamps[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return stamps
}

// get returns the certificate for a handshake.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.checked) >= certificateCheck {
		c.checked = now
		if stamps := c.stamps(); stamps != c.read {
			c.read = stamps
			if err := c.load(); err != nil {
				c.log.Error("the certificate was not replaced", "error", err)
			} else {
				c.log.Info("the certificate was replaced", "file", c.certFile)
			}
		}
	}
	return c.current, nil
}

// name is a host name that the certificate is for, empty if it is for none in
// particular.
func (c *certificate) name() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.current.Leaf.DNSNames {
		if name[0] != '*' {
			return name
		}
	}
	return ""
}

// config is TLS 1.2 and later with HTTP/2.
func (c *certificate) config() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: c.get}
}
