package inference

import (
	"fmt"
	"strconv"

	"github.com/ragstone/ragstone/internal/openai"
)

// first returns the first of the errors that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// modelGiven refuses a request without a model, in the API's own words.
func modelGiven(model string) error {
	if model == "" {
		return openai.Refuse("", "", "you must provide a model parameter")
	}
	return nil
}

// decimalWithin checks an optional number against its range.
func decimalWithin(param string, v *float64, low, high float64) error {
	number := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	switch {
	case v == nil:
	case *v > high:
		return openai.Refuse(param, openai.CodeDecimalAboveMax, "Invalid '%s': decimal above maximum value. Expected a value <= %s, but got %s instead.", param, number(high), number(*v))
	case *v < low:
		return openai.Refuse(param, openai.CodeDecimalBelowMin, "Invalid '%s': decimal below minimum value. Expected a value >= %s, but got %s instead.", param, number(low), number(*v))
	}
	return nil
}

// integerWithin checks an optional whole number against its range.
func integerWithin(param string, v *int64, low, high int64) error {
	switch {
	case v == nil:
	case *v > high:
		return openai.Refuse(param, openai.CodeIntegerAboveMax, "Invalid '%s': integer above maximum value. Expected a value <= %d, but got %d instead.", param, high, *v)
	case *v < low:
		return openai.Refuse(param, openai.CodeIntegerBelowMin, "Invalid '%s': integer below minimum value. Expected a value >= %d, but got %d instead.", param, low, *v)
	}
	return nil
}

func arrayAtMost(param string, n, most int) error {
	if n <= most {
		return nil
	}
	return openai.Refuse(param, openai.CodeArrayTooLong, "Invalid '%s': array too long. Expected an array with maximum length %d, but got an array with length %d instead.", param, most, n)
}

func notEmpty(param string, n int) error {
	if n > 0 {
		return nil
	}
	return openai.Refuse(param, openai.CodeEmptyArray, "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", param)
}

// oneOf checks an optional choice.
func oneOf(param string, v *string, allowed ...string) error {
	if v == nil {
		return nil
	}
	for _, a := range allowed {
		if *v == a {
			return nil
		}
	}
	return openai.InvalidValue(param, *v, allowed...)
}

// needs refuses a parameter that means nothing without another.
func needs(param string, given bool, other string, enabled bool) error {
	if !given || enabled {
		return nil
	}
	return openai.Refuse(param, openai.CodeInvalidValue, "The '%s' parameter is only allowed when '%s' is enabled.", param, other)
}

// stopsAllowed checks the stop sequences.
func stopsAllowed(stops []string) error {
	if err := arrayAtMost("stop", len(stops), 4); err != nil {
		return err
	}
	for i, s := range stops {
		if s == "" {
			return openai.Refuse(fmt.Sprintf("stop[%d]", i), openai.CodeInvalidValue, "Invalid 'stop[%d]': empty string. Expected a text that the answer is to end before.", i)
		}
	}
	return nil
}

// valueOr is an optional value, or what it means when absent.
func valueOr[T any](v *T, absent T) T {
	if v == nil {
		return absent
	}
	return *v
}
