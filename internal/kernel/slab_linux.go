package kernel

import "golang.org/x/sys/unix"

// adviseHugePages asks for huge pages. Refusal costs only speed.
func adviseHugePages(memory []byte) { unix.Madvise(memory, unix.MADV_HUGEPAGE) }
