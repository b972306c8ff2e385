package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

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
// key to lock it with.
func listen(ctx context.Context, addr string, keys *account.Keys) (net.Listener, error) {
	local, err := isLoopback(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	if !local {
		locked, err := keys.AnyInForce(ctx)
		if err != nil {
			return nil, err
		}
		if !locked {
			return nil, fmt.Errorf("listen on %s: %w", addr, ErrNoKey)
		}
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("listen on %s: %w", addr, ErrAddrInUse)
	}
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
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
