//go:build !unix

package kernel

// On other systems a slab is memory of the Go heap.

func mapMemory(bytes int) ([]byte, error) { return make([]byte, bytes), nil }

func unmapMemory([]byte) {}
