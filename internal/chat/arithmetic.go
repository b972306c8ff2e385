package chat

import (
	"math"
	"strings"
)

// arithmetic computes l op r.
func (r *renderer) arithmetic(op string, l, rhs value) (value, error) {
	for _, v := range []value{l, rhs} {
		if err := mustBeDefined(v); err != nil {
			return nil, err
		}
	}
	a, aInt := integer(l)
	b, bInt := integer(rhs)
	if aInt && bInt {
		if v, ok, err := integerArithmetic(op, a, b); ok || err != nil {
			return v, err
		}
	}
	x, xNumber := number(l)
	y, yNumber := number(rhs)
	if xNumber && yNumber {
		return floatArithmetic(op, x, y)
	}
	switch lt := l.(type) {
	case text:
		if rt, ok := rhs.(text); ok && op == "+" {
			return lt.plus(rt), r.charge(len(lt.s) + len(rt.s))
		}
		if op == "%" {
			return r.percent(lt, rhs)
		}
		if op == "*" && bInt {
			return r.repeatText(lt, b)
		}
	case *list:
		if rl, ok := rhs.(*list); ok && op == "+" && lt.tuple == rl.tuple {
			items := append(append([]value(nil), lt.items...), rl.items...)
			return r.sequence(items, lt.tuple)
		}
		if op == "*" && bInt {
			return r.repeatList(lt, b)
		}
	}
	if op == "*" && aInt {
		switch rhs.(type) {
		case text, *list:
			return r.arithmetic(op, rhs, l)
		}
	}
	return nil, failf("%s is not possible between %s and %s", op, typeName(l), typeName(rhs))
}

// integerArithmetic computes on integers; ok is false where the result is a
// float.
func integerArithmetic(op string, a, b int64) (v value, ok bool, err error) {
	out, fits := int64(0), true
	switch op {
	case "+":
		out = a + b
		fits = (out > a) == (b > 0)
	case "-":
		out = a - b
		fits = (out < a) == (b > 0)
	case "*":
		out = a * b
		fits = a == 0 || out/a == b && !(a == -1 && b == math.MinInt64)
	case "//", "%":
		if b == 0 {
			return nil, false, failf("division by zero")
		}
		quotient, rest := a/b, a%b
		if rest != 0 && (rest < 0) != (b < 0) {
			quotient--
			rest += b
		}
		out = quotient
		if op == "%" {
			out = rest
		}
	case "**":
		if b < 0 {
			return nil, false, nil
		}
		return integerPower(a, b)
	default:
		return nil, false, nil
	}
	if !fits {
		return nil, false, failf("an integer grows beyond 64 bits")
	}
	return out, true, nil
}

func integerPower(a, b int64) (v value, ok bool, err error) {
	out := int64(1)
	for range min(b, 64) {
		next := out * a
		if out != 0 && next/out != a {
			return nil, false, failf("an integer grows beyond 64 bits")
		}
		out = next
	}
	if b > 64 && a != 0 && a != 1 && a != -1 {
		return nil, false, failf("an integer grows beyond 64 bits")
	}
	if a == -1 && b%2 == 1 {
		out = -1
	}
	return out, true, nil
}

func floatArithmetic(op string, x, y float64) (value, error) {
	if y == 0 && (op == "/" || op == "//" || op == "%") {
		return nil, failf("division by zero")
	}
	switch op {
	case "+":
		return x + y, nil
	case "-":
		return x - y, nil
	case "*":
		return x * y, nil
	case "/":
		return x / y, nil
	case "//":
		return math.Floor(x / y), nil
	case "%":
		m := math.Mod(x, y)
		if m != 0 && (m < 0) != (y < 0) {
			m += y
		}
		return m, nil
	}
	return math.Pow(x, y), nil
}

func (r *renderer) repeatText(t text, n int64) (value, error) {
	if n <= 0 || t.s == "" {
		return text{}, nil
	}
	if n > int64(r.budget) {
		return nil, r.charge(r.budget + 1)
	}
	if err := r.charge(int(n) * (len(t.s) + 1)); err != nil {
		return nil, err
	}
	if len(t.given) == 0 {
		return literal(strings.Repeat(t.s, int(n))), nil
	}
	var b textBuilder
	for range n {
		b.add(t)
	}
	return b.text(), nil
}

func (r *renderer) repeatList(l *list, n int64) (value, error) {
	if n <= 0 || len(l.items) == 0 {
		return r.sequence(nil, l.tuple)
	}
	if n > maxShape {
		return nil, failf("a list grows beyond %d values", maxShape)
	}
	if err := r.charge(valueCost * int(n) * len(l.items)); err != nil {
		return nil, err
	}
	var items []value
	for range n {
		items = append(items, l.items...)
	}
	return r.sequence(items, l.tuple)
}
