package account

import (
	"errors"
	"math"
	"testing"
)

func TestDollars(t *testing.T) {
	for _, test := range []struct {
		amount int64
		want   string
	}{
		{0, "0"}, {1, "0.000000000001"}, {Dollar, "1"}, {25 * Dollar, "25"}, {150_000, "0.00000015"}, {Dollar + Dollar/2, "1.5"},
		{-Dollar / 4, "-0.25"}, {math.MaxInt64, "9223372.036854775807"}, {math.MinInt64 + 1, "-9223372.036854775807"},
	} {
		if got := Dollars(test.amount); got != test.want {
			t.Errorf("Dollars(%d) = %s, want %s", test.amount, got, test.want)
		}
		if back, err := ParseDollars(test.want); test.amount >= 0 && (err != nil || back != test.amount) {
			t.Errorf("ParseDollars(%s) = %d, %v; want %d", test.want, back, err, test.amount)
		}
	}
	for _, text := range []string{"", ".", "-1", "1e3", "0x10", "1/3", "1,5", "0.0000000000001", "9223373", "NaN", "1.2.3"} {
		if got, err := ParseDollars(text); !errors.Is(err, ErrMoney) {
			t.Errorf("ParseDollars(%q) = %d, %v; want ErrMoney", text, got, err)
		}
	}
}

func TestSumsStopAtTheLargestNumber(t *testing.T) {
	if got := times(1<<40, 1<<40); got != math.MaxInt64 {
		t.Errorf("2^40 × 2^40 = %d, want the largest int64", got)
	}
	if got := plus(math.MaxInt64-1, 5); got != math.MaxInt64 {
		t.Errorf("got %d, want the largest int64", got)
	}
	if a, b := times(7, 6), plus(40, 2); a != 42 || b != 42 {
		t.Errorf("7 × 6 = %d, 40 + 2 = %d", a, b)
	}
}
