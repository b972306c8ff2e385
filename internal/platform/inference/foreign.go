package inference

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer"

	"github.com/ragstone/ragstone/internal/openai"
)

// OpenAI's vocabularies that names of its models promise.
const (
	cl100k = "cl100k_base" // gpt-3.5-turbo and the embedding models
	o200k  = "o200k_base"  // gpt-4o
)

// longestToken is the most bytes one token of either vocabulary stands for: a
// run of 128 spaces.
const longestToken = 128

// foreign is a vocabulary that a request's token ids may come from.
type foreign struct{ codec tokenizer.Codec }

// Each vocabulary takes some 20 ms and 20 MB to build, so only on first use.
var vocabularies = map[string]func() (foreign, error){
	cl100k: sync.OnceValues(func() (foreign, error) { return loadForeign(tokenizer.Cl100kBase) }),
	o200k:  sync.OnceValues(func() (foreign, error) { return loadForeign(tokenizer.O200kBase) }),
}

func loadForeign(name tokenizer.Encoding) (foreign, error) {
	codec, err := tokenizer.Get(name)
	if err != nil {
		return foreign{}, fmt.Errorf("load vocabulary %s: %w", name, err)
	}
	return foreign{codec}, nil
}

// bytes returns what one token stands for, which may be part of a character.
func (f foreign) bytes(id int64) (string, bool) {
	if id < 0 {
		return "", false
	}
	piece, err := f.codec.Decode([]uint{uint(id)})
	return piece, err == nil
}

// text decodes an array of ids. What does not decode to whole characters
// becomes U+FFFD: the model reads text and could not see the broken bytes.
func (f foreign) text(ids []int64, param string) (string, error) {
	var b strings.Builder
	for i, id := range ids {
		piece, ok := f.bytes(id)
		if !ok {
			return "", openai.Refuse(fmt.Sprintf("%s[%d]", param, i), openai.CodeInvalidValue,
				"Invalid token id %d in '%s': it is not in the vocabulary %s.", id, param, f.codec.GetName())
		}
		b.WriteString(piece)
	}
	return strings.ToValidUTF8(b.String(), string(utf8.RuneError)), nil
}

// count returns the tokens of a text, or a lower bound beyond most: a text so
// long that it must have more is not worth the time to cut it up.
func (f foreign) count(text string, most int) (n int, exact bool, err error) {
	if len(text) > most*longestToken {
		return (len(text) + longestToken - 1) / longestToken, false, nil
	}
	n, err = f.codec.Count(text)
	return n, true, err
}

// vocabulary returns the foreign vocabulary of the name that was asked for;
// there is none under a model's own name.
func (rt *route) vocabulary() (foreign, bool, error) {
	load, ok := vocabularies[rt.alias.Vocabulary]
	if !ok {
		return foreign{}, false, nil
	}
	f, err := load()
	return f, err == nil, err
}

// logitBias maps a request's biases to the model's own tokens. Under an alias a
// bias on a token that has no single counterpart of the same bytes cannot be
// honoured.
func (rt *route) logitBias(biases []openai.TokenBias) (map[int32]float64, error) {
	const param = "logit_bias"
	if len(biases) == 0 {
		return nil, nil
	}
	f, isForeign, err := rt.vocabulary()
	if err != nil {
		return nil, err
	}
	if isForeign && rt.model.Vocabulary == nil {
		return nil, openai.Unsupported(param)
	}
	mapped := make(map[int32]float64, len(biases))
	for _, b := range biases {
		if b.Bias < -100 || b.Bias > 100 {
			return nil, openai.Refuse(param, openai.CodeInvalidValue, "Invalid '%s': the bias of token %d is %v. Expected a value from -100 to 100.", param, b.Token, b.Bias)
		}
		id := int32(b.Token)
		if isForeign {
			id, err = rt.counterpart(f, b.Token)
		} else if int64(id) != b.Token || id < 0 {
			err = openai.Refuse(param, openai.CodeInvalidValue, "Invalid key in '%s': %d is not a token id.", param, b.Token)
		}
		if err != nil {
			return nil, err
		}
		mapped[id] = b.Bias
	}
	return mapped, nil
}

// counterpart is the model's own token of the same bytes as a foreign one.
func (rt *route) counterpart(f foreign, id int64) (int32, error) {
	piece, ok := f.bytes(id)
	if !ok {
		return 0, openai.Refuse("logit_bias", openai.CodeInvalidValue, "Invalid key in 'logit_bias': token %d is not in the vocabulary %s.", id, f.codec.GetName())
	}
	own := rt.model.Vocabulary.Encode(piece)
	if len(own) != 1 || rt.model.Vocabulary.Decode(own) != piece {
		return 0, openai.Refuse("logit_bias", openai.CodeUnsupportedValue,
			"Unsupported key in 'logit_bias': no single token of the model '%s' stands for token %d of %s.", rt.model.Name, id, f.codec.GetName())
	}
	return own[0], nil
}
