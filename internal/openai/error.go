package openai

import (
	"fmt"
	"strings"
)

// ErrorResponse is the body of every answer that is not a success.
type ErrorResponse struct {
	Error Error `json:"error"`
}

// Error is what went wrong, for the caller. All four keys are always sent.
type Error struct {
	Message string  `json:"message"`
	Type    string  `json:"type"`
	Param   *string `json:"param"`
	Code    *string `json:"code"`
}

// The values of Error.Type.
const (
	TypeInvalidRequest     = "invalid_request_error"
	TypeServerError        = "server_error"
	TypeServiceUnavailable = "service_unavailable_error"
)

// The values of Error.Code that requests are refused with.
const (
	CodeMissingParameter   = "missing_required_parameter"
	CodeInvalidType        = "invalid_type"
	CodeInvalidValue       = "invalid_value"
	CodeUnsupported        = "unsupported_parameter"
	CodeUnsupportedValue   = "unsupported_value"
	CodeDecimalAboveMax    = "decimal_above_max_value"
	CodeDecimalBelowMin    = "decimal_below_min_value"
	CodeIntegerAboveMax    = "integer_above_max_value"
	CodeIntegerBelowMin    = "integer_below_min_value"
	CodeEmptyArray         = "empty_array"
	CodeArrayTooLong       = "array_above_max_length"
	CodeStringTooLong      = "string_above_max_length"
	CodeContextLength      = "context_length_exceeded"
	CodeDuplicateParameter = "duplicate_parameter"
)

// RequestError says why a request is refused, in the API's words. The caller
// can act on it, so it becomes a 400. An empty Param or Code is a null on the
// wire.
type RequestError struct {
	Message string
	Param   string // path of the parameter: messages[0].content
	Code    string
}

func (e *RequestError) Error() string { return e.Message }

// Refuse makes a RequestError from a format.
func Refuse(param, code, format string, args ...any) *RequestError {
	return &RequestError{Message: fmt.Sprintf(format, args...), Param: param, Code: code}
}

// Missing refuses a request that lacks a required parameter.
func Missing(param string) *RequestError {
	return Refuse(param, CodeMissingParameter, "Missing required parameter: '%s'.", param)
}

// Unsupported refuses a parameter that this server does not serve.
func Unsupported(param string) *RequestError {
	return Refuse(param, CodeUnsupported, "Unsupported parameter: '%s' is not supported by this server.", param)
}

// InvalidValue refuses a value that is none of those allowed.
func InvalidValue(param, got string, allowed ...string) *RequestError {
	return Refuse(param, CodeInvalidValue, "Invalid value: '%s'. Supported values are: %s.", abbreviate(got), quotedList(allowed))
}

// quotedList is 'a', 'b', and 'c'.
func quotedList(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + w + "'"
	}
	switch n := len(quoted); {
	case n <= 1:
		return strings.Join(quoted, "")
	case n == 2:
		return quoted[0] + " and " + quoted[1]
	default:
		return strings.Join(quoted[:n-1], ", ") + ", and " + quoted[n-1]
	}
}

// abbreviate keeps a caller's own text in a message short.
func abbreviate(s string) string {
	const most = 64
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}
