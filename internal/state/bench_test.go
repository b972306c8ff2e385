package state

import "testing"

// BenchmarkKeyByHash is what authenticating a request costs.
func BenchmarkKeyByHash(b *testing.B) {
	s, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	tenant, err := s.DefaultTenant(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	hash := s.HashKey("sk-proj-a")
	if err := s.AddKey(b.Context(), Key{ID: NewID("key_"), Tenant: tenant, Hash: hash}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.KeyByHash(b.Context(), hash); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAddKey is what a durable write costs: it waits for the disk.
func BenchmarkAddKey(b *testing.B) {
	s, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	tenant, err := s.DefaultTenant(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		id := NewID("key_")
		if err := s.AddKey(b.Context(), Key{ID: id, Tenant: tenant, Hash: s.HashKey(id)}); err != nil {
			b.Fatal(err)
		}
	}
}
