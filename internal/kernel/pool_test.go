package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestPoolRunsEveryPieceOnce(t *testing.T) {
	for threads := 0; threads <= 4; threads++ {
		p := NewPool(threads)
		if want := max(1, threads); p.Threads() != want {
			t.Errorf("a pool of %d has %d threads, want %d", threads, p.Threads(), want)
		}
		for n := range 50 {
			counts := make([]atomic.Int32, n)
			p.Run(n, func(i int) { counts[i].Add(1) })
			for i := range counts {
				if got := counts[i].Load(); got != 1 {
					t.Fatalf("%d threads: piece %d of %d ran %d times", threads, i, n, got)
				}
			}
		}
		p.Close()
		p.Close()
		ran := 0
		p.Run(3, func(int) { ran++ })
		if ran != 3 {
			t.Errorf("a closed pool of %d ran %d of 3 pieces", threads, ran)
		}
	}
}

// Several goroutines may share a pool; workers that parked in between wake up.
func TestPoolIsSharedAndParks(t *testing.T) {
	p := NewPool(3)
	defer p.Close()
	var total atomic.Int64
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for round := range 200 {
				p.Run(7, func(i int) {
					total.Add(1)
					if round%50 == 0 && i == 3 {
						time.Sleep(100 * time.Microsecond) // longer than anyone spins
					}
				})
			}
		})
	}
	callers.Wait()
	if got := total.Load(); got != 4*200*7 {
		t.Errorf("%d pieces ran, want %d", got, 4*200*7)
	}
}

func TestPoolLeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 20 {
		p := NewPool(4)
		p.Run(8, func(int) {})
		p.Close()
	}
	for closed := time.Now(); runtime.NumGoroutine() > before; runtime.Gosched() { // they are on their way out
		if time.Since(closed) > time.Minute {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}

func BenchmarkPoolSection(b *testing.B) {
	p := NewPool(2)
	defer p.Close()
	for b.Loop() {
		p.Run(8, func(int) {})
	}
}
