package model

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// EncoderConfig is the shape of an encoder and what it makes of its rows, as
// its files say.
type EncoderConfig struct {
	Architecture string // Hugging Face's name of the family: "bert"
	Vocab        int    // tokens in the vocabulary
	Positions    int    // the longest sequence the weights can take, in tokens
	MaxTokens    int    // the longest it is meant for; at most Positions
	Types        int    // kinds of segments; we use the first
	Layers       int
	Width        int // numbers a token has between layers, and a vector has
	Heads        int
	FeedForward  int     // width between the two feed-forward products
	Epsilon      float64 // added to the variance in normalisation
	Pooling      Pooling
	Normalize    bool // vectors get length 1
}

// Pooling is how one vector is made of a sequence's rows.
type Pooling string

// The poolings we know, by the names of Sentence Transformers.
const (
	MeanPooling Pooling = "mean" // the mean of all rows
	CLSPooling  Pooling = "cls"  // the row of the first token
)

// HeadSize returns the numbers of a row that one attention head has.
func (c *EncoderConfig) HeadSize() int { return c.Width / c.Heads }

// encoderFamilies are the architectures we can run, by model_type. To add one,
// add a line, the names of its tensors, and what its layers do differently.
var encoderFamilies = map[string]encoderFamily{
	"bert": {prefixes: []string{"", "bert."}},
}

// encoderFamily is what tells one architecture from another where its files do
// not say it.
type encoderFamily struct {
	prefixes []string // what may stand before the names of all tensors
}

// readEncoderConfig reads the small files of an encoder's folder.
func readEncoderConfig(dir string) (EncoderConfig, error) {
	var h struct {
		ModelType   string  `json:"model_type"`
		Vocab       int     `json:"vocab_size"`
		Positions   int     `json:"max_position_embeddings"`
		Types       int     `json:"type_vocab_size"`
		Layers      int     `json:"num_hidden_layers"`
		Width       int     `json:"hidden_size"`
		Heads       int     `json:"num_attention_heads"`
		FeedForward int     `json:"intermediate_size"`
		Epsilon     float64 `json:"layer_norm_eps"`
		Activation  string  `json:"hidden_act"`
		Embedding   string  `json:"position_embedding_type"`
		Decoder     bool    `json:"is_decoder"`
	}
	h.Epsilon, h.Types, h.Activation, h.Embedding = 1e-12, 2, "gelu", "absolute"
	if err := readJSON(filepath.Join(dir, "config.json"), &h); err != nil {
		return EncoderConfig{}, err
	}
	if _, ok := encoderFamilies[h.ModelType]; !ok {
		return EncoderConfig{}, fmt.Errorf("config.json: the model_type %q is not an encoder we can run", h.ModelType)
	}
	for _, s := range []struct{ key, got, want string }{
		{"hidden_act", h.Activation, "gelu"},
		{"position_embedding_type", h.Embedding, "absolute"},
	} {
		if s.got != s.want {
			return EncoderConfig{}, fmt.Errorf("config.json: %s is %q, only %q is supported", s.key, s.got, s.want)
		}
	}
	if h.Decoder {
		return EncoderConfig{}, errors.New("config.json: is_decoder is true: the model is not an encoder")
	}
	c := EncoderConfig{
		Architecture: h.ModelType, Vocab: h.Vocab, Positions: h.Positions, Types: h.Types, Layers: h.Layers,
		Width: h.Width, Heads: h.Heads, FeedForward: h.FeedForward, Epsilon: h.Epsilon,
	}
	if err := c.readModules(dir); err != nil {
		return c, err
	}
	return c, c.validate()
}

// readModules reads what Sentence Transformers adds to a transformer. A folder
// without modules.json means what it means there: mean pooling and no more.
func (c *EncoderConfig) readModules(dir string) error {
	c.Pooling = MeanPooling
	var modules []struct {
		Path string `json:"path"`
		Type string `json:"type"`
	}
	if err := readJSON(filepath.Join(dir, "modules.json"), &modules); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for i, m := range modules {
		kind := m.Type[strings.LastIndexByte(m.Type, '.')+1:]
		if m.Path != "" && !filepath.IsLocal(filepath.FromSlash(m.Path)) {
			return fmt.Errorf("modules.json: the path %q leads out of the folder", m.Path)
		}
		switch {
		case i == 0 && kind == "Transformer" && m.Path == "":
		case i == 1 && kind == "Pooling":
			if err := c.readPooling(filepath.Join(dir, filepath.FromSlash(m.Path), "config.json")); err != nil {
				return err
			}
		case i == 2 && kind == "Normalize":
			c.Normalize = true
		default:
			return fmt.Errorf("modules.json: module %d is %s at %q: want a Transformer in the folder itself, Pooling and Normalize, in that order", i, kind, m.Path)
		}
	}
	var limit struct {
		MaxTokens *int `json:"max_seq_length"`
	}
	if err := readJSON(filepath.Join(dir, "sentence_bert_config.json"), &limit); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.MaxTokens = c.Positions
	if limit.MaxTokens != nil {
		c.MaxTokens = *limit.MaxTokens
	}
	return nil
}

// readPooling reads the pooling module's config.json, in which exactly one mode
// is on.
func (c *EncoderConfig) readPooling(path string) error {
	var settings map[string]json.RawMessage
	if err := readJSON(path, &settings); err != nil {
		return err
	}
	var modes []string
	for key, value := range settings {
		if mode, ok := strings.CutPrefix(key, "pooling_mode_"); ok && string(value) == "true" {
			modes = append(modes, mode)
		}
	}
	if len(modes) != 1 {
		return fmt.Errorf("%s: %d pooling modes are on, want one", path, len(modes))
	}
	switch modes[0] {
	case "mean_tokens":
		c.Pooling = MeanPooling
	case "cls_token":
		c.Pooling = CLSPooling
	default:
		return fmt.Errorf("%s: the pooling mode %q is not supported", path, modes[0])
	}
	return nil
}

// validate reports all that is impossible about a configuration.
func (c *EncoderConfig) validate() error {
	var p problems
	p.within("the vocabulary", c.Vocab, maxWidth*16)
	p.within("the number of positions", c.Positions, maxContext)
	p.within("the number of segment types", c.Types, maxWidth)
	p.within("the number of layers", c.Layers, maxLayers)
	p.within("the width", c.Width, maxWidth)
	p.within("the number of heads", c.Heads, maxWidth)
	p.within("the feed-forward width", c.FeedForward, maxWidth)
	if !(c.Epsilon >= 0) || c.Epsilon > 1 {
		p.add("the normalisation epsilon is %v, want 0 to 1", c.Epsilon)
	}
	if c.Heads > 0 && c.Width%c.Heads != 0 {
		p.add("%d numbers cannot be shared by %d heads evenly", c.Width, c.Heads)
	}
	if c.MaxTokens < 1 || c.MaxTokens > c.Positions {
		p.add("max_seq_length is %d and the model has %d positions", c.MaxTokens, c.Positions)
	}
	return p.err()
}

// maxSettings bounds the size of a settings file.
const maxSettings = 1 << 20

// readJSON decodes a small file.
func readJSON(path string, into any) error {
	at, err := os.Stat(path)
	if err != nil {
		return err
	}
	if at.Size() > maxSettings {
		return fmt.Errorf("%s has %d bytes, a settings file at most %d", path, at.Size(), maxSettings)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
