package server

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate writes a certificate for a name and its key, and returns a
// pool that trusts it.
func writeCertificate(t *testing.T, certFile, keyFile, name string, serial int64) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return pool
}

// serve runs the server until the test ends.
func serve(t *testing.T, s *Server) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	c := testConfig(t, t.TempDir())
	c.TLSCert, c.TLSKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := writeCertificate(t, c.TLSCert, c.TLSKey, "ragstone.test", 1)
	s := open(t, c, Options{})
	serve(t, s)
	if url := s.Notice().URL; !strings.HasPrefix(url, "https://ragstone.test:") {
		t.Errorf("the server says it is at %s, want the name of its certificate", url)
	}

	get := func(pool *x509.CertPool) (serial int64, proto string, err error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "ragstone.test"}, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		answer, err := (&http.Client{Transport: transport}).Get("https://" + s.Addr().String() + "/healthz")
		if err != nil {
			return 0, "", err
		}
		defer answer.Body.Close()
		io.Copy(io.Discard, answer.Body)
		return answer.TLS.PeerCertificates[0].SerialNumber.Int64(), answer.Proto, nil
	}
	if serial, proto, err := get(pool); err != nil || serial != 1 || proto != "HTTP/2.0" {
		t.Errorf("got certificate %d over %s, %v; want 1 over HTTP/2.0", serial, proto, err)
	}

	// A renewed certificate is taken; files that do not fit together are not.
	lookAgain := func() {
		s.cert.mu.Lock()
		defer s.cert.mu.Unlock()
		s.cert.checked = time.Time{}
	}
	renewed := writeCertificate(t, c.TLSCert, c.TLSKey, "ragstone.test", 22222)
	lookAgain()
	if serial, _, err := get(renewed); err != nil || serial != 22222 {
		t.Errorf("after the files changed: certificate %d, %v; want 22222", serial, err)
	}
	if err := os.WriteFile(c.TLSKey, []byte("half a fi"), 0o600); err != nil {
		t.Fatal(err)
	}
	lookAgain()
	if serial, _, err := get(renewed); err != nil || serial != 22222 {
		t.Errorf("with a broken key: certificate %d, %v; want the old one", serial, err)
	}

	old := &tls.Config{RootCAs: renewed, ServerName: "ragstone.test", MaxVersion: tls.VersionTLS11}
	if conn, err := tls.Dial("tcp", s.Addr().String(), old); err == nil {
		conn.Close()
		t.Error("TLS 1.1 was spoken")
	}
}

func TestOpenNamesACertificateItCannotRead(t *testing.T) {
	c := testConfig(t, t.TempDir())
	c.TLSCert, c.TLSKey = "no/cert.pem", "no/key.pem"
	if _, err := Open(t.Context(), c, Options{}); err == nil || !strings.Contains(err.Error(), c.TLSCert) {
		t.Errorf("Open = %v, want an error that names %s", err, c.TLSCert)
	}
}
