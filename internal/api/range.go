package api

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/ragstone/ragstone/internal/platform/files"
)

// rangeError means that a request asks for a part that a content does not have.
type rangeError struct{ size int64 }

func (e *rangeError) Error() string {
	return fmt.Sprintf("the range has nothing of %d bytes", e.size)
}

// section is the part of a content that a request's Range asks for (RFC 9110,
// section 14.2), and whether it asks for one. Several parts at once, other units
// than bytes and what is no range are answered with the whole, as the RFC allows.
// An If-Range that is not the content's tag asks for the whole too. The error is
// a *rangeError.
func (c *call) section(size int64, tag string) (part files.Section, asked bool, err error) {
	whole := files.Section{Length: size}
	spec, ok := strings.CutPrefix(c.Header.Get("Range"), "bytes=")
	if condition := c.Header.Get("If-Range"); !ok || condition != "" && condition != tag {
		return whole, false, nil
	}
	first, last, ok := strings.Cut(strings.TrimSpace(spec), "-")
	from, fromErr := position(first)
	to, toErr := position(last)
	switch {
	case !ok || first+last == "" || fromErr != nil || toErr != nil || first != "" && last != "" && to < from:
		return whole, false, nil
	case first == "": // the last so many
		from, to = max(0, size-to), size-1
	case last == "" || to >= size:
		to = size - 1
	}
	if from > to {
		return whole, true, &rangeError{size}
	}
	return files.Section{Offset: from, Length: to - from + 1}, true, nil
}

// position reads a number of digits alone; nothing is zero.
func position(digits string) (int64, error) {
	if digits == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	return int64(n), err
}
