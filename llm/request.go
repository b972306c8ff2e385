package llm

import (
	"fmt"
	"math"
)

// validate reports the first field of a request that no model can honour.
func (r *Request) validate() error {
	given := 0
	for _, has := range []bool{len(r.Messages) > 0, r.Prompt != "", len(r.Tokens) > 0} {
		if has {
			given++
		}
	}
	checks := []struct {
		field, reason string
		bad           bool
	}{
		{"Messages", "want exactly one of Messages, Prompt and Tokens", given != 1},
		{"MaxTokens", fmt.Sprintf("%d: want a positive number, 0 or NoTokens", r.MaxTokens), r.MaxTokens < NoTokens},
		{"N", fmt.Sprintf("%d: want 0 to %d", r.N, maxChoices), r.N < 0 || r.N > maxChoices},
		{"MaxCalls", fmt.Sprintf("%d: want 0 to %d", r.MaxCalls, maxChoices), r.MaxCalls < 0 || r.MaxCalls > maxChoices},
		{"BestOf", fmt.Sprintf("%d: want 0, or N to %d", r.BestOf, maxChoices), r.BestOf != 0 && r.BestOf < max(1, r.N) || r.BestOf > maxChoices},
		{"Suffix", "want a Prompt before it, and no Echo", r.Suffix != "" && (r.Prompt == "" || r.Echo)},
		{"Temperature", "want a number from 0", !within(valueOr(r.Temperature, 1), 0, math.MaxFloat32)},
		{"TopP", "want a number above 0 and at most 1", !within(valueOr(r.TopP, 1), math.SmallestNonzeroFloat64, 1)},
		{"TopK", "want a number from 0", r.TopK < 0},
		{"MinP", "want a number from 0 to 1", !within(r.MinP, 0, 1)},
		{"PresencePenalty", "want a number from -100 to 100", !within(r.PresencePenalty, -100, 100)},
		{"FrequencyPenalty", "want a number from -100 to 100", !within(r.FrequencyPenalty, -100, 100)},
		{"RepetitionPenalty", "want a number from 0 to 100", !within(r.RepetitionPenalty, 0, 100)},
		{"TopLogProbs", "want 0 to 100, with LogProbs", r.TopLogProbs < 0 || r.TopLogProbs > 100 || r.TopLogProbs > 0 && !r.LogProbs},
		{"Echo", "Messages cannot be echoed", r.Echo && len(r.Messages) > 0},
	}
	for _, c := range checks {
		if c.bad {
			return &InvalidError{c.field, c.reason}
		}
	}
	if err := r.checkTools(); err != nil {
		return err
	}
	for _, stop := range r.Stop {
		if stop == "" {
			return &InvalidError{"Stop", "an empty string would stop everything"}
		}
	}
	for id, bias := range r.LogitBias {
		if !within(bias, -1000, 1000) {
			return &InvalidError{"LogitBias", fmt.Sprintf("token %d has %v: want a number from -1000 to 1000", id, bias)}
		}
	}
	return nil
}

// choices is how many a request generates.
func (r *Request) choices() int { return max(1, r.N, r.BestOf) }

// maxChoices bounds Request.N and Request.BestOf.
const maxChoices = 128

func within(x, least, most float64) bool { return x >= least && x <= most }

// checkTokens reports a token id that the vocabulary does not have.
func (r *Request) checkTokens(size int) error {
	known := func(id int32) bool { return id >= 0 && int(id) < size }
	for i, id := range r.Tokens {
		if !known(id) {
			return &InvalidError{"Tokens", fmt.Sprintf("token %d at %d is not in the vocabulary of %d", id, i, size)}
		}
	}
	for id := range r.LogitBias {
		if !known(id) {
			return &InvalidError{"LogitBias", fmt.Sprintf("token %d is not in the vocabulary of %d", id, size)}
		}
	}
	return nil
}
