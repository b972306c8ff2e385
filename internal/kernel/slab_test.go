package kernel

import (
	"sync"
	"testing"
	"unsafe"
)

func TestSlabHandsOutAlignedMemoryOnce(t *testing.T) {
	for _, size := range []int64{0, 1, 64, 1000, 5 << 20} {
		s, err := NewSlab(size)
		if err != nil {
			t.Fatal(err)
		}
		var wait sync.WaitGroup
		pieces := make([][]byte, size/128)
		for i := range pieces {
			if i%1000 != 0 && i > 20 {
				pieces[i] = s.Take(100)
				continue
			}
			wait.Go(func() { pieces[i] = s.Take(100) })
			wait.Wait()
		}
		for i, p := range pieces {
			for j := range p {
				if p[j] != 0 {
					t.Fatalf("piece %d, byte %d is %d already", i, j, p[j])
				}
				p[j] = 1
			}
			if uintptr(unsafe.Pointer(&p[0]))%slabAlign != 0 {
				t.Fatalf("piece %d is at %p", i, &p[0])
			}
		}
		panics(t, "more than there is", func() { s.Take(int(size) + 1) })
		s.Free()
		s.Free()
	}
}

func TestSlabOfEverything(t *testing.T) {
	const size = 3*64 + 10
	s, err := NewSlab(size)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Free()
	s.Take(100)
	s.Take(10 + 64)
	panics(t, "a byte beyond", func() { s.Take(1) })
	if _, err := NewSlab(-1); err == nil {
		t.Error("a negative size: no error")
	}
	if _, err := NewSlab(1 << 60); err == nil {
		t.Error("an impossible size: no error")
	}
}
