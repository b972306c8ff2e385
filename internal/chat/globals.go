package chat

import (
	"fmt"
	"strings"
	"time"
)

// globalFunction finds one of the functions that templates may call.
func globalFunction(name string) (function, bool) {
	var call func(r *renderer, a arguments) (value, error)
	switch name {
	case "raise_exception":
		call = raise
	case "namespace":
		call = newNamespace
	case "dict":
		call = makeDict
	case "range":
		call = makeRange
	case "strftime_now":
		call = strftimeNow
	}
	return function{name, call}, call != nil
}

// raise is how a template refuses a conversation.
func raise(r *renderer, a arguments) (value, error) {
	if len(a.positional) != 1 {
		return nil, failf("raise_exception takes one message")
	}
	t, err := r.str(a.positional[0])
	if err != nil {
		return nil, err
	}
	return nil, &Error{Reason: t.s, Refused: true}
}

func newNamespace(_ *renderer, a arguments) (value, error) {
	ns := &namespace{vars: map[string]value{}}
	for _, v := range a.positional {
		d, ok := v.(*dict)
		if !ok {
			return nil, failf("namespace wants a dictionary, not a %s", typeName(v))
		}
		for i, k := range d.keys {
			if t, ok := k.(text); ok {
				ns.vars[t.s] = d.vals[i]
			}
		}
	}
	for i, name := range a.names {
		ns.vars[name] = a.named[i]
	}
	return ns, nil
}

func makeDict(r *renderer, a arguments) (value, error) {
	d := newDict()
	for _, v := range a.positional {
		from, ok := v.(*dict)
		if !ok {
			return nil, failf("dict wants a dictionary, not a %s", typeName(v))
		}
		d.given = d.given || from.given
		for i, k := range from.keys {
			d.put(k, from.vals[i])
		}
	}
	for i, name := range a.names {
		d.set(name, a.named[i])
	}
	var err error
	d.shape, err = r.shape(d.vals)
	return d, err
}

func makeRange(r *renderer, a arguments) (value, error) {
	bounds := []int64{0, 0, 1}
	switch len(a.positional) {
	case 1, 2, 3:
	default:
		return nil, failf("range takes one to three integers")
	}
	for i, v := range a.positional {
		n, ok := integer(v)
		if !ok {
			return nil, failf("range wants integers, not a %s", typeName(v))
		}
		bounds[i] = n
	}
	if len(a.positional) == 1 {
		bounds[0], bounds[1] = 0, bounds[0]
	}
	from, to, step := bounds[0], bounds[1], bounds[2]
	if step == 0 {
		return nil, failf("a range's step is zero")
	}
	var out []value
	for i := from; step > 0 && i < to || step < 0 && i > to; i += step {
		if len(out) == maxRange {
			return nil, failf("a range has more than %d numbers", maxRange)
		}
		out = append(out, i)
		if next := i + step; (next > i) != (step > 0) {
			break // past the largest integer
		}
	}
	return r.list(out)
}

// strftimeNow states the date.
func strftimeNow(r *renderer, a arguments) (value, error) {
	layout, err := textArgument(a, 0, "format")
	if err != nil {
		return nil, err
	}
	if err := r.charge(32 * len(layout.s)); err != nil {
		return nil, err
	}
	s, err := strftime(r.now, layout.s)
	if err != nil {
		return nil, err
	}
	return derived(s, layout), nil
}

// strftime formats a time as C's function of that name does, in English.
func strftime(now time.Time, layout string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(layout); i++ {
		if layout[i] != '%' || i+1 == len(layout) {
			b.WriteByte(layout[i])
			continue
		}
		i++
		plain := layout[i] == '-' && i+1 < len(layout) // %-d is without zeros
		if plain {
			i++
		}
		s, ok := dateField(now, layout[i])
		if !ok {
			return "", failf("the date format %%%c is not supported", layout[i])
		}
		if plain {
			if s = strings.TrimLeft(s, "0 "); s == "" {
				s = "0"
			}
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

func dateField(now time.Time, field byte) (string, bool) {
	layouts := map[byte]string{
		'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'd': "02", 'e': "_2",
		'F': "2006-01-02", 'D': "01/02/06", 'H': "15", 'I': "03", 'm': "01", 'M': "04",
		'p': "PM", 'S': "05", 'T': "15:04:05", 'R': "15:04", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
	}
	switch field {
	case '%':
		return "%", true
	case 'j':
		return fmt.Sprintf("%03d", now.YearDay()), true
	}
	layout, ok := layouts[field]
	return now.Format(layout), ok
}
