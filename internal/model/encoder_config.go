package model

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// EncoderConfig is the shape of an encoder and what it makes of its rows, as
// its files say.
type EncoderConfig struct {
	Architecture string // Hugging Face's name of the family: "bert"
	Vocab        int    // tokens in the vocabulary
	Positions    int    // the longest sequence the weights can take, in tokens
	MaxTokens    int    // the longest it is meant for; at most Positions
	Types        int    // kinds of segments; zero: it does not tell them apart
	Layers       int
	Width        int     // numbers a token has between layers
	Heads        int     // of queries
	KVHeads      int     // of keys and values, each shared by Heads/KVHeads heads
	HeadSize     int     // numbers of a row that one head has
	FeedForward  int     // width between the two feed-forward products
	Epsilon      float64 // added to the variance in normalisation

	// How the layers compute; the zero values are BERT's ways.

	PreNorm    bool       // each half of a layer normalises what it reads, not what it has added to
	RMSNorm    bool       // normalisation without mean and bias (Zhang and Sennrich 2019)
	Causal     bool       // a token sees only itself and those before it
	Gated      bool       // the feed-forward's activation multiplies a second product (Shazeer 2020)
	Activation Activation // between the two feed-forward products
	Rotary     []float64  // by layer: the base of the rotary embedding; nil: positions are a table
	Windows    []int      // by layer: how far apart tokens may be that see each other; nil and 0: any distance
	Buckets    int        // kinds of distances that have a bias of their own; zero: none have
	Padding    int32      // token that has no position of its own; -1: there is none
	FirstRow   int        // row of the table of positions that the first token takes

	// What is made of a sequence's rows.

	Pooling   Pooling
	Modules   []VectorModule // applied to the pooled vector, in order
	Normalize bool           // vectors have length 1: the last module is a normalisation
	Prompts   Prompts

	// What is made of the first row instead, by a cross-encoder.

	Labels  int  // scores of a pair; zero: it is none
	Sigmoid bool // a pair's only score is meant to be taken through the logistic function

	biases       encoderBiases
	classifyMean bool       // the head reads the mean of the rows, not the first
	classifyBy   Activation // inside the head
}

// encoderBiases says which of the products and normalisations add a bias.
type encoderBiases struct{ attention, feedForward, norm, head bool }

// Dimensions returns the length of the vectors.
func (c *EncoderConfig) Dimensions() int {
	n := c.Width
	for _, m := range c.Modules {
		if m.Dense != nil {
			n = m.Dense.Out
		}
	}
	return n
}

// queries and projections are the widths of a row's queries, and of its
// queries, keys and values together.
func (c *EncoderConfig) queries() int     { return c.Heads * c.HeadSize }
func (c *EncoderConfig) projections() int { return (c.Heads + 2*c.KVHeads) * c.HeadSize }

// inner is the width of the first feed-forward product.
func (c *EncoderConfig) inner() int {
	if c.Gated {
		return 2 * c.FeedForward
	}
	return c.FeedForward
}

// readEncoderConfig reads the small files of an encoder's folder: config.json,
// and for a model of vectors those that Sentence Transformers adds.
func readEncoderConfig(dir string, t encoderTask) (EncoderConfig, error) {
	var s encoderSettings
	if err := readJSON(filepath.Join(dir, "config.json"), &s); err != nil {
		return EncoderConfig{}, err
	}
	c, err := s.config()
	if err != nil {
		return c, fmt.Errorf("config.json: %w", err)
	}
	if t == scorePairs {
		err = s.classifier(&c)
	} else {
		err = c.readModules(dir)
	}
	if err == nil {
		err = c.readWindow(dir)
	}
	if err != nil {
		return c, err
	}
	return c, c.validate()
}

// readWindow reads how long a sequence is meant to be: what Sentence Transformers
// says, else the tokenizer, else as long as it can be.
func (c *EncoderConfig) readWindow(dir string) error {
	var limit struct {
		MaxTokens *int `json:"max_seq_length"`
	}
	if err := readOptionalJSON(filepath.Join(dir, "sentence_bert_config.json"), &limit); err != nil {
		return err
	}
	if limit.MaxTokens != nil {
		c.MaxTokens = *limit.MaxTokens
		return nil
	}
	var tokens struct {
		Limit float64 `json:"model_max_length"` // a huge number stands for none
	}
	if err := readOptionalJSON(filepath.Join(dir, "tokenizer_config.json"), &tokens); err != nil {
		return err
	}
	c.MaxTokens = c.Positions
	if tokens.Limit >= 1 && tokens.Limit < float64(c.Positions) {
		c.MaxTokens = int(tokens.Limit)
	}
	return nil
}

// validate reports all that is impossible about a configuration.
func (c *EncoderConfig) validate() error {
	var p problems
	p.within("the vocabulary", c.Vocab, maxWidth*16)
	p.within("the number of positions", c.Positions, maxContext)
	p.within("the number of segment types", c.Types+1, maxWidth)
	p.within("the number of layers", c.Layers, maxLayers)
	p.within("the width", c.Width, maxWidth)
	p.within("the number of heads", c.Heads, maxWidth)
	p.within("the number of key heads", c.KVHeads, maxWidth)
	p.within("the size of a head", c.HeadSize, maxWidth)
	p.within("the feed-forward width", c.FeedForward, maxWidth)
	p.within("the number of distance buckets", c.Buckets+1, maxWidth)
	if c.Labels < 0 || c.Labels > maxWidth {
		p.add("the number of labels is %d", c.Labels)
	}
	if !(c.Epsilon >= 0) || c.Epsilon > 1 {
		p.add("the normalisation epsilon is %v, want 0 to 1", c.Epsilon)
	}
	if c.KVHeads > 0 && c.Heads%c.KVHeads != 0 {
		p.add("%d heads cannot share %d heads of keys evenly", c.Heads, c.KVHeads)
	}
	if c.HeadSize > 0 && c.Heads > maxWidth/c.HeadSize {
		p.add("%d heads of %d numbers are too many", c.Heads, c.HeadSize)
	}
	if c.Rotary != nil && c.HeadSize%2 != 0 {
		p.add("heads of %d numbers cannot be rotated in pairs", c.HeadSize)
	}
	if c.FirstRow < 0 || c.FirstRow > maxContext {
		p.add("the padding token is %d", c.FirstRow-1)
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

// readOptionalJSON is readJSON for a file that need not be there.
func readOptionalJSON(path string, into any) error {
	if err := readJSON(path, into); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}
