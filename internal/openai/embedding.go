package openai

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
)

// EmbeddingRequest is the body of POST /embeddings.
type EmbeddingRequest struct {
	Input          TextOrTokens
	HasInput       bool
	Model          string
	EncodingFormat *string
	Dimensions     *int64
	User           *string

	// Body is the whole request, for a model that another server runs.
	Body Body
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *EmbeddingRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = EmbeddingRequest{Body: Body{o.value}}
		r.Input, r.HasInput = o.textOrTokens("input")
		if model := o.text("model"); model != nil {
			r.Model = *model
		}
		r.EncodingFormat = o.text("encoding_format")
		r.Dimensions = o.integer("dimensions")
		r.User = o.text("user")
	})
}

// EmbeddingList is the answer to an embeddings request.
type EmbeddingList struct {
	Data   []Embedding    `json:"data"`
	Model  string         `json:"model"`
	Object string         `json:"object"` // list
	Usage  EmbeddingUsage `json:"usage"`

	// Relayed is what another server wrote, in our shape. Where it is set it is
	// what Encode writes.
	Relayed json.RawMessage `json:"-"`
}

// Embedding is the vector of one input.
type Embedding struct {
	Index     int    `json:"index"`
	Embedding Vector `json:"embedding"`
	Object    string `json:"object"` // embedding
}

// EmbeddingUsage counts the tokens of an embeddings request.
type EmbeddingUsage struct {
	PromptTokens int `json:"prompt_tokens"`
	TotalTokens  int `json:"total_tokens"`
}

// Vector is an embedding in the form the request asked for.
type Vector struct {
	Values []float32
	Base64 bool // as base64 of little-endian float32, else as an array of numbers
}

// MarshalJSON writes the vector. Numbers have as many digits as tell one
// float32 from the next, so both forms carry the same bits.
func (v Vector) MarshalJSON() ([]byte, error) {
	if !v.Base64 {
		return json.Marshal(v.Values)
	}
	packed := make([]byte, 0, 4*len(v.Values))
	for _, x := range v.Values {
		packed = binary.LittleEndian.AppendUint32(packed, math.Float32bits(x))
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(packed))
}
