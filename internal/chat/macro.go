package chat

import "slices"

// closure makes a macro callable; it sees the scope it was defined in.
func (r *renderer) closure(m *macro) function {
	defined := r.scope
	return function{m.name, func(r *renderer, a arguments) (value, error) {
		return r.callMacro(m, defined, a)
	}}
}

func (r *renderer) callMacro(m *macro, defined *scope, a arguments) (out value, err error) {
	if err := r.enter(); err != nil {
		return nil, err
	}
	defer r.leave()
	err = r.inScope(defined, func() error {
		if err := r.bind(m, a); err != nil {
			return err
		}
		out, err = r.capture(m.body)
		return err
	})
	return out, err
}

// bind sets a macro's parameters in the current scope.
func (r *renderer) bind(m *macro, a arguments) error {
	named := newDict()
	for i, name := range a.names {
		named.set(name, a.named[i])
	}
	for i, name := range m.params {
		v, ok := named.get(literal(name))
		switch firstDefault := len(m.params) - len(m.defaults); {
		case i < len(a.positional):
			v = a.positional[i]
		case ok:
		case i >= firstDefault:
			var err error
			if v, err = r.eval(m.defaults[i-firstDefault]); err != nil {
				return err
			}
		default:
			v = undefined{"parameter " + name}
		}
		r.scope.set(name, v)
	}
	extra := newDict()
	for i, name := range a.names {
		if name == "caller" {
			r.scope.set("caller", a.named[i])
		} else if !slices.Contains(m.params, name) {
			extra.set(name, a.named[i])
		}
	}
	rest := &list{tuple: true, items: a.positional[min(len(m.params), len(a.positional)):]}
	r.scope.set("varargs", rest)
	r.scope.set("kwargs", extra)
	return nil
}

// callBlock calls with the block as the argument caller.
func (r *renderer) callBlock(s callStmt) error {
	fn, err := r.eval(s.call.fn)
	if err != nil {
		return err
	}
	a, err := r.arguments(s.call.args)
	if err != nil {
		return err
	}
	a.names = append(a.names, "caller")
	a.named = append(a.named, r.closure(s.caller))
	v, err := r.call(fn, a)
	if err != nil {
		return err
	}
	return r.write(v)
}
