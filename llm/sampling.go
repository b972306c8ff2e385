package llm

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Sampling is how a model's makers would have its tokens drawn. It stands in for
// what a request does not say; a field that is nil or zero leaves the request's
// own default.
type Sampling struct {
	Temperature       *float64 `json:"temperature,omitempty"`
	TopP              *float64 `json:"top_p,omitempty"`
	TopK              int      `json:"top_k,omitempty"`
	MinP              float64  `json:"min_p,omitempty"`
	RepetitionPenalty float64  `json:"repetition_penalty,omitempty"`
}

// over returns s with what it leaves open taken from other.
func (s Sampling) over(other Sampling) Sampling {
	return Sampling{
		Temperature:       cmp.Or(s.Temperature, other.Temperature),
		TopP:              cmp.Or(s.TopP, other.TopP),
		TopK:              cmp.Or(s.TopK, other.TopK),
		MinP:              cmp.Or(s.MinP, other.MinP),
		RepetitionPenalty: cmp.Or(s.RepetitionPenalty, other.RepetitionPenalty),
	}
}

// complete fills in what a request does not say. One that names a temperature
// has thought about sampling: its other fields mean what they say.
func (s Sampling) complete(r *Request) {
	if r.Temperature != nil {
		return
	}
	said := Sampling{nil, r.TopP, r.TopK, r.MinP, r.RepetitionPenalty}.over(s)
	r.Temperature, r.TopP, r.TopK = said.Temperature, said.TopP, said.TopK
	r.MinP, r.RepetitionPenalty = said.MinP, said.RepetitionPenalty
}

// generationFile is where a checkpoint keeps its Sampling.
const generationFile = "generation_config.json"

// checkpointSampling reads a checkpoint's Sampling, if it has one.
func checkpointSampling(dir string) (Sampling, error) {
	data, err := os.ReadFile(filepath.Join(dir, generationFile))
	if errors.Is(err, os.ErrNotExist) {
		return Sampling{}, nil
	} else if err != nil {
		return Sampling{}, err
	}
	var s Sampling
	if err := json.Unmarshal(data, &s); err != nil {
		return Sampling{}, fmt.Errorf("%s: %w", generationFile, err)
	}
	var as Request
	s.complete(&as)
	as.Prompt = "x"
	if err := as.validate(); err != nil {
		return Sampling{}, fmt.Errorf("%s: %w", generationFile, err)
	}
	return s, nil
}
