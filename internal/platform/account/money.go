package account

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// Dollar is one dollar in the unit of all money here, 10^-12 dollar: small
// enough that a token of the cheapest model is a whole number of them, and
// large enough that an int64 holds nine million dollars.
const Dollar int64 = 1e12

// ErrMoney means that a text is not an amount of money that can be kept.
var ErrMoney = errors.New("want an amount in dollars of at most twelve decimals, such as 25 or 0.15, below nine million")

// Dollars is an amount in dollars, exact and without needless zeros: 0.000015.
func Dollars(amount int64) string {
	sign := ""
	whole, part := amount/Dollar, amount%Dollar
	if amount < 0 {
		sign, whole, part = "-", -whole, -part
	}
	text := fmt.Sprintf("%s%d.%012d", sign, whole, part)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// ParseDollars reads an amount of dollars that is not negative. It is exact or
// ErrMoney.
func ParseDollars(text string) (int64, error) { return scaled(text, Dollar) }

// parsePerMillion reads a price in dollars per million tokens as one per token.
func parsePerMillion(text string) (int64, error) { return scaled(text, Dollar/1e6) }

// scaled is a decimal number times unit, which must be whole.
func scaled(text string, unit int64) (int64, error) {
	if text == "" || strings.Trim(text, "0123456789.") != "" || len(text) > 40 {
		return 0, ErrMoney
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return 0, ErrMoney
	}
	r.Mul(r, new(big.Rat).SetInt64(unit))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, ErrMoney
	}
	return r.Num().Int64(), nil
}

// times is a × b, or the largest int64 where that is more. Neither is negative.
func times(a, b int64) int64 {
	if a != 0 && b > math.MaxInt64/a {
		return math.MaxInt64
	}
	return a * b
}

// plus is a + b, or the largest int64 where that is more. Neither is negative.
func plus(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
