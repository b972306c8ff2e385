//go:build !unix

package kernel

import "testing"

// guarded returns ordinary memory where there is no mprotect.
func guarded[T any](_ testing.TB, n int) []T { return make([]T, n) }
