package grammar

import (
	"fmt"
	"math/big"
	"strings"
)

// above returns the higher of two lower bounds, below the lower of two upper
// ones.
func (b bound) above(c bound) bound { return b.stricter(c, 1) }
func (b bound) below(c bound) bound { return b.stricter(c, -1) }

func (b bound) stricter(c bound, sign int) bound {
	switch {
	case b.value == nil:
		return c
	case c.value == nil:
		return b
	}
	if d := c.value.Cmp(b.value) * sign; d > 0 || d == 0 && c.exclusive {
		return c
	}
	return b
}

// allows reports whether x is on the right side of a bound: sign is 1 for a
// lower bound and -1 for an upper one.
func (b bound) allows(x *big.Rat, sign int) bool {
	if b.value == nil {
		return true
	}
	d := x.Cmp(b.value) * sign
	return d > 0 || d == 0 && !b.exclusive
}

// numberLimits is what schemas together say about a number.
type numberLimits struct {
	low, high bound
	multiple  *big.Rat // nil for none; 1 for integers
}

func limitsOf(all []*schemaNode) numberLimits {
	var l numberLimits
	types := allTypes
	for _, n := range all {
		types &= n.types
		l.low, l.high = l.low.above(n.low), l.high.below(n.high)
		l.multiple = commonMultiple(l.multiple, n.multipleOf)
	}
	if types&fractions == 0 {
		l.multiple = commonMultiple(l.multiple, big.NewRat(1, 1))
	}
	return l
}

// commonMultiple returns the least common multiple; nil stands for none.
func commonMultiple(a, b *big.Rat) *big.Rat {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	x := new(big.Int).Mul(a.Num(), b.Denom())
	y := new(big.Int).Mul(b.Num(), a.Denom())
	gcd := new(big.Int).GCD(nil, nil, x, y)
	lcm := new(big.Int).Mul(x, new(big.Int).Div(y, gcd))
	return new(big.Rat).SetFrac(lcm, new(big.Int).Mul(a.Denom(), b.Denom()))
}

func (l numberLimits) allows(x *big.Rat) bool {
	return l.low.allows(x, 1) && l.high.allows(x, -1) &&
		(l.multiple == nil || new(big.Rat).Quo(x, l.multiple).IsInt())
}

// numbers is the numbers that satisfy all schemas.
func (c *schemaCompiler) numbers(all []*schemaNode) (expr, error) {
	l := limitsOf(all)
	if l.multiple != nil && l.multiple.Sign() <= 0 {
		return nil, &SchemaError{all[0].path, "multipleOf", "want a number above 0"}
	}
	if l.low.value == nil && l.high.value == nil {
		switch {
		case l.multiple == nil:
			return plainNumber(), nil
		case l.multiple.IsInt() && l.multiple.Num().IsInt64() && l.multiple.Num().Int64() == 1:
			return plainInteger(), nil
		}
	}
	values := either{}
	for _, side := range l.sides() {
		d, err := side.automaton()
		if err == ErrEmpty {
			continue
		}
		if err != nil {
			return nil, &SchemaError{Path: all[0].path, Reason: err.Error()}
		}
		values = append(values, sequence{literal(side.sign), plainText{d}})
	}
	return values, nil
}

// numberSide is the numbers of one sign, by their magnitude.
type numberSide struct {
	sign      string
	low, high decimalBound
	modulus   int64 // of the digits up to places after the point; 0 for none
	places    int   // digits after the point; unbounded for as many as there may be
	whole     int   // digits before it
	err       error
}

// decimalBound is a bound of magnitudes.
type decimalBound struct {
	exists          bool
	exclusive       bool
	whole, fraction string // digits; no zeros at the end of fraction
}

// sides splits limits by sign.
func (l numberLimits) sides() []*numberSide {
	zero := bound{value: new(big.Rat)}
	var sides []*numberSide
	if l.high.value == nil || l.high.value.Sign() >= 0 {
		sides = append(sides, l.side("", l.low.above(zero), l.high))
	}
	if l.low.value == nil || l.low.value.Sign() < 0 {
		sides = append(sides, l.side("-", l.high.negated().above(zero), l.low.negated()))
	}
	return sides
}

func (b bound) negated() bound {
	if b.value == nil {
		return b
	}
	return bound{new(big.Rat).Neg(b.value), b.exclusive}
}

// maxModulus bounds multipleOf, in units of its last digit.
const maxModulus = 1000

func (l numberLimits) side(sign string, low, high bound) *numberSide {
	s := &numberSide{sign: sign, low: low.decimal(), high: high.decimal(), places: unbounded, whole: maxWhole}
	s.whole = max(s.whole, len(s.low.whole)+1)
	if s.high.exists {
		s.whole = len(s.high.whole)
	}
	if l.multiple == nil {
		return s
	}
	s.places = 0
	unit := new(big.Rat).Set(l.multiple)
	for ; !unit.IsInt(); s.places++ {
		unit.Mul(unit, big.NewRat(10, 1))
	}
	if !unit.Num().IsInt64() || unit.Num().Int64() > maxModulus {
		s.err = fmt.Errorf("multipleOf %s: want at most %d units of its last digit", l.multiple.FloatString(s.places), maxModulus)
		return s
	}
	s.modulus = unit.Num().Int64()
	return s
}

// decimal returns the digits of a bound, which is at least zero.
func (b bound) decimal() decimalBound {
	if b.value == nil {
		return decimalBound{}
	}
	places := 0
	for x := new(big.Rat).Set(b.value); !x.IsInt(); places++ {
		x.Mul(x, big.NewRat(10, 1))
	}
	whole, fraction, _ := strings.Cut(b.value.FloatString(places), ".")
	return decimalBound{true, b.exclusive, whole, fraction}
}

// numberState is a number in the middle of being read.
type numberState struct {
	point     bool
	digits    int  // before the point, then after it
	zero      bool // the whole part is 0
	low, high order
	rest      int64 // of all digits so far
}

// order compares the digits so far with as many of a bound.
type order int8

// read compares one more digit; at is its place in want.
func (o order) read(digit byte, want string, at int) order {
	if o != 0 {
		return o
	}
	expected := byte('0')
	if at < len(want) {
		expected = want[at]
	}
	switch {
	case digit < expected:
		return -1
	case digit > expected:
		return 1
	}
	return 0
}

// afterWhole is the order once all digits before the point are known.
func (o order) afterWhole(digits int, b decimalBound) order {
	switch {
	case digits < len(b.whole):
		return -1
	case digits > len(b.whole):
		return 1
	}
	return o
}

const numberChars = "0123456789."

// automaton accepts the magnitudes.
func (s *numberSide) automaton() (*runeDFA, error) {
	if s.err != nil {
		return nil, s.err
	}
	var bounds []rune
	for _, r := range numberChars {
		bounds = append(bounds, r, r+1)
	}
	chars := newCharset(bounds, len(numberChars), func(set int, r rune) bool { return rune(numberChars[set]) == r })
	samples := chars.samples()
	return explore(chars, numberState{},
		func(n numberState, class int32) (numberState, bool) {
			switch r := samples[class]; {
			case r == '.':
				return s.point(n)
			case '0' <= r && r <= '9':
				return s.digit(n, byte(r))
			}
			return n, false
		}, s.accepts)
}

func (s *numberSide) point(n numberState) (numberState, bool) {
	if n.point || n.digits == 0 || s.places == 0 {
		return n, false
	}
	n.low, n.high = n.low.afterWhole(n.digits, s.low), n.high.afterWhole(n.digits, s.high)
	n.point, n.digits, n.zero = true, 0, false
	return n, true
}

func (s *numberSide) digit(n numberState, d byte) (numberState, bool) {
	if n.point {
		most := s.places
		if most == unbounded {
			most = max(maxFraction, len(s.low.fraction)+1, len(s.high.fraction)+1)
		}
		n.low, n.high = n.low.read(d, s.low.fraction, n.digits), n.high.read(d, s.high.fraction, n.digits)
		if n.digits++; n.digits > most {
			return n, false
		}
	} else {
		if n.zero || n.digits == s.whole {
			return n, false
		}
		n.zero = d == '0' && n.digits == 0
		n.low, n.high = n.low.read(d, s.low.whole, n.digits), n.high.read(d, s.high.whole, n.digits)
		n.digits++
	}
	if s.modulus > 0 {
		n.rest = (n.rest*10 + int64(d-'0')) % s.modulus
	}
	return n, true
}

func (s *numberSide) accepts(n numberState) bool {
	if n.digits == 0 {
		return false
	}
	after := 0
	if n.point {
		after = n.digits
	} else {
		n.low, n.high = n.low.afterWhole(n.digits, s.low), n.high.afterWhole(n.digits, s.high)
	}
	if s.sign == "-" && s.places == 0 && n.zero {
		return false // an integer is written one way
	}
	if s.modulus > 0 {
		rest := n.rest
		for range s.places - after {
			rest = rest * 10 % s.modulus
		}
		if rest != 0 {
			return false
		}
	}
	return s.low.allows(n.low, after, 1) && s.high.allows(n.high, after, -1)
}

// allows reports whether a number whose digits, so many after the point,
// compare as o is on the right side of a bound.
func (b decimalBound) allows(o order, after int, sign order) bool {
	if !b.exists {
		return true
	}
	if o == 0 && after < len(b.fraction) {
		o = -1 // the bound's further digits are not all zeros
	}
	return o*sign > 0 || o == 0 && !b.exclusive
}
