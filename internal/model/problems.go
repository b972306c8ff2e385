package model

import (
	"errors"
	"fmt"
)

// problems gathers all that is impossible about a configuration, so that it is
// reported at once.
type problems []error

func (p *problems) add(format string, args ...any) {
	*p = append(*p, fmt.Errorf(format, args...))
}

// within adds a problem unless n is from 1 to limit.
func (p *problems) within(what string, n, limit int) {
	if n < 1 || n > limit {
		p.add("%s is %d, want 1 to %d", what, n, limit)
	}
}

// err joins the problems; nil for none.
func (p problems) err() error { return errors.Join(p...) }
