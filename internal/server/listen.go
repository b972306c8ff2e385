package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/internal/platform/account"
)

var (
	// ErrAddrInUse means that another program listens on the address.
	ErrAddrInUse = errors.New("another program listens there; stop it or choose another address with --addr, such as --addr 127.0.0.1:0 for any free port")

	// ErrNoKey means that the address can be reached from other machines and
	// no key is in force.
	ErrNoKey = errors.New("this address can be reached from other machines and no API key is in force: make one first with `ragstone keys create`")
)

// listen opens the address, unless it is open to other machines and there is no
// key to lock it with, and reads the certificate if there is one.
func (s *Server) listen(ctx context.Context, c config.Config) (err error) {
	if err := locked(ctx, c.Addr, s.keys); err != nil {
		return fmt.Errorf("listen on %s: %w", c.Addr, err)
	}
	refusal := plainRefusal
	if c.TLSCert != "" {
		refusal = ""
		if s.cert, err = openCertificate(c.TLSCert, c.TLSKey, s.log); err != nil {
			return err
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		err = ErrAddrInUse
	}
	if err != nil {
		return fmt.Errorf("listen on %s: %w", c.Addr, err)
	}
	s.listener = limitConnections(l, c.MaxConnections, refusal, s.log)
	return nil
}

// locked returns ErrNoKey for an address that other machines can reach while no
// key is in force.
func locked(ctx context.Context, addr string, keys *account.Keys) error {
	local, err := isLoopback(ctx, addr)
	if err != nil || local {
		return err
	}
	locked, err := keys.AnyInForce(ctx)
	if err == nil && !locked {
		err = ErrNoKey
	}
	return err
}

// urls are the addresses that clients can use: first one for clients on this
// machine, then, if the server listens on every address, those of this machine
// that others may reach.
func (s *Server) urls(addr string) []string {
	scheme := "http"
	if s.cert != nil {
		scheme = "https"
	}
	host, port, _ := net.SplitHostPort(s.listener.Addr().String())
	url := func(host string) string { return scheme + "://" + net.JoinHostPort(host, port) + "/v1" }
	if s.cert != nil && s.cert.name() != "" {
		return []string{url(s.cert.name())}
	}
	if asked, _, err := net.SplitHostPort(addr); err == nil && asked == "localhost" {
		host = asked
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsUnspecified() {
		return []string{url(host)}
	}
	list := []string{url("127.0.0.1")}
	for _, ip := range machineAddresses() {
		list = append(list, url(ip.String()))
	}
	return list
}

// machineAddresses are the addresses by which other machines may know this one.
func machineAddresses() (ips []net.IP) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil // it is for the notice alone
	}
	for _, a := range all {
		if network, ok := a.(*net.IPNet); ok && network.IP.IsGlobalUnicast() {
			ips = append(ips, network.IP)
		}
	}
	return ips
}

// isLoopback reports whether only this machine can reach an address. An empty
// host is every address of the machine.
func isLoopback(ctx context.Context, addr string) (bool, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil || host == "" {
		return false, err
	}
	ips, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	if err != nil {
		return false, err
	}
	for _, ip := range ips {
		if !ip.IP.IsLoopback() {
			return false, nil
		}
	}
	return len(ips) > 0, nil
}
