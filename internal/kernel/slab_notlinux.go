//go:build !linux

package kernel

// adviseHugePages does nothing where the system decides by itself.
func adviseHugePages([]byte) {}
