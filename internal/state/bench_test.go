package state

import "testing"

// BenchmarkKeyByHash is what authenticating a request costs.
func BenchmarkKeyByHash(b *testing.B) {
	s := reopen(b, b.TempDir())
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
	s := reopen(b, b.TempDir())
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

// BenchmarkRevision is what every request asks first.
func BenchmarkRevision(b *testing.B) {
	s := reopen(b, b.TempDir())
	defer s.Close()
	for b.Loop() {
		if _, err := s.Revision(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSettle is what an answer's row in the ledger costs: alone, and with
// 64 others at once in groups, with and without waiting for the disk.
func BenchmarkSettle(b *testing.B) {
	for _, bench := range []struct {
		name    string
		options Options
		atOnce  int
	}{{"alone", Options{}, 1}, {"64 at once", Options{}, 64}, {"synced alone", Options{SyncLedger: true}, 1}, {"synced 64 at once", Options{SyncLedger: true}, 64}} {
		b.Run(bench.name, func(b *testing.B) {
			dir := b.TempDir()
			bench.options.Database = options(b, dir).Database
			s, err := OpenWith(b.Context(), dir, bench.options)
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			tenant, err := s.DefaultTenant(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			who := Spender{tenant, "key_a", "user-a"}
			b.SetParallelism(bench.atOnce)
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					id := NewID("chatcmpl-")
					if err := s.Settle(b.Context(), Settlement{Entry: entry(id, who, noon, 5)}); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}

// BenchmarkHold is what a request of a budget costs before and after it runs.
func BenchmarkHold(b *testing.B) {
	s := reopen(b, b.TempDir())
	defer s.Close()
	tenant, err := s.DefaultTenant(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	who := Spender{tenant, "key_a", "user-a"}
	if err := s.SetBudget(b.Context(), Budget{ID: "budget_a", OrganizationID: tenant.OrganizationID, SubjectID: tenant.ProjectID, Amount: 1 << 60, Hard: true, Every: "month"}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		id := NewID("chatcmpl-")
		if _, err := s.Hold(b.Context(), id, who, noon, 10); err != nil {
			b.Fatal(err)
		}
		if err := s.Settle(b.Context(), Settlement{Entry: entry(id, who, noon, 5)}); err != nil {
			b.Fatal(err)
		}
	}
}
