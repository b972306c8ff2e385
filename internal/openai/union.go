package openai

import "fmt"

// TextOrTokens is the union that prompts and embedding inputs share: one
// string, several strings, one array of token ids, or several. Exactly one of
// the two fields is set, with one element per text.
type TextOrTokens struct {
	Texts  []string
	Tokens [][]int64
}

// Len is the number of texts, in either form.
func (t TextOrTokens) Len() int { return len(t.Texts) + len(t.Tokens) }

// textOrTokens takes an optional union; it reports whether there is one.
func (o *object) textOrTokens(name string) (TextOrTokens, bool) {
	v := o.take(name)
	if v == nil {
		return TextOrTokens{}, false
	}
	path := join(o.path, name)
	u, err := readTextOrTokens(v, path)
	if err != nil {
		o.state.fail(err)
	}
	return u, true
}

func readTextOrTokens(v *value, path string) (u TextOrTokens, err error) {
	switch {
	case v.kind == text:
		return TextOrTokens{Texts: []string{v.text}}, nil
	case v.kind != array:
		return u, invalidType(path, "one of a string, array of strings, array of integers, or array of integer arrays", v)
	case len(v.kids) == 0:
		return u, Refuse(path, CodeEmptyArray, "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", path)
	}
	switch v.kids[0].kind {
	case text:
		u.Texts, err = readTexts(v, path)
	case array:
		u.Tokens = make([][]int64, len(v.kids))
		for i := range v.kids {
			if u.Tokens[i], err = readTokens(&v.kids[i], fmt.Sprintf("%s[%d]", path, i)); err != nil {
				break
			}
		}
	default:
		var tokens []int64
		tokens, err = readTokens(v, path)
		u.Tokens = [][]int64{tokens}
	}
	return u, err
}

func readTexts(v *value, path string) ([]string, error) {
	texts := make([]string, len(v.kids))
	for i := range v.kids {
		if v.kids[i].kind != text {
			return nil, invalidType(fmt.Sprintf("%s[%d]", path, i), "a string", &v.kids[i])
		}
		texts[i] = v.kids[i].text
	}
	return texts, nil
}

func readTokens(v *value, path string) ([]int64, error) {
	if v.kind != array {
		return nil, invalidType(path, "an array of integers", v)
	}
	if len(v.kids) == 0 {
		return nil, Refuse(path, CodeEmptyArray, "Invalid '%s': empty array. Expected an array with minimum length 1, but got an empty array instead.", path)
	}
	tokens := make([]int64, len(v.kids))
	for i := range v.kids {
		id, err := v.kids[i].integer(fmt.Sprintf("%s[%d]", path, i))
		if err != nil {
			return nil, err
		}
		tokens[i] = id
	}
	return tokens, nil
}

// stop takes the union of one stop sequence and several; null and absent are
// none.
func (o *object) stop(name string) []string {
	v := o.take(name)
	if v == nil {
		return nil
	}
	path := join(o.path, name)
	switch v.kind {
	case text:
		return []string{v.text}
	case array:
		texts, err := readTexts(v, path)
		if err != nil {
			o.state.fail(err)
		}
		return texts
	}
	o.failType(path, "one of a string or array of strings", v)
	return nil
}

// TokenBias is one entry of logit_bias: what is added to the logit of a token.
type TokenBias struct {
	Token int64
	Bias  float64
}

// logitBias takes the optional map from token id to bias, in the order given.
func (o *object) logitBias(name string) []TokenBias {
	in := o.inner(name)
	if in == nil {
		return nil
	}
	biases := make([]TokenBias, len(in.value.kids))
	for i := range in.value.kids {
		v := &in.value.kids[i]
		id := value{kind: number, text: v.name}
		token, err := id.integer(in.path)
		if err != nil {
			o.state.fail(Refuse(in.path, CodeInvalidValue, "Invalid key in '%s': %s. Expected a token id.", in.path, abbreviate(v.name)))
			return nil
		}
		bias, err := v.float(join(in.path, v.name))
		if err != nil {
			o.state.fail(err)
			return nil
		}
		biases[i] = TokenBias{Token: token, Bias: bias}
	}
	return biases
}

// StreamOptions says how a stream is sent.
type StreamOptions struct {
	IncludeUsage bool // end with a chunk that carries the usage of the request
}

// streamOptions takes the optional object. Obfuscation pads events against
// readers of encrypted traffic; we send none, which include_obfuscation false
// asks for and true cannot observe as a promise of the API.
func (o *object) streamOptions(name string) *StreamOptions {
	in := o.inner(name)
	if in == nil {
		return nil
	}
	usage := in.flag("include_usage")
	in.flag("include_obfuscation")
	in.rejectUnknown(unknownParameter)
	return &StreamOptions{IncludeUsage: usage != nil && *usage}
}
