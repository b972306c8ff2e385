package model

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// Pooling is how one vector is made of a sequence's rows.
type Pooling string

// The poolings we know, by the names of Sentence Transformers.
const (
	MeanPooling Pooling = "mean"      // the mean of all rows
	CLSPooling  Pooling = "cls"       // the row of the first token
	LastPooling Pooling = "lasttoken" // the row of the last token
)

// VectorModule is a step from a pooled vector to the final one. Without a Dense
// it brings the vector to length 1.
type VectorModule struct{ Dense *DenseModule }

// DenseModule is a linear layer with an activation.
type DenseModule struct {
	Folder     string // of its files, in the encoder's
	In, Out    int
	Bias       bool
	Activation Activation
}

// Prompts are the texts that a model wants before what it embeds, by what it is
// for, as config_sentence_transformers.json says.
type Prompts struct {
	ByName  map[string]string `json:"prompts"`
	Default string            `json:"default_prompt_name"` // which is used unless one is asked for; empty: none
}

// readModules reads what Sentence Transformers adds to a transformer. A folder
// without modules.json means what it means there: mean pooling and no more.
func (c *EncoderConfig) readModules(dir string) error {
	c.Pooling = MeanPooling
	if c.Causal {
		c.Pooling = LastPooling
	}
	var modules []struct {
		Path string `json:"path"`
		Type string `json:"type"`
	}
	if err := readOptionalJSON(filepath.Join(dir, "modules.json"), &modules); err != nil {
		return err
	}
	for i, m := range modules {
		kind := m.Type[strings.LastIndexByte(m.Type, '.')+1:]
		if m.Path != "" && !filepath.IsLocal(filepath.FromSlash(m.Path)) {
			return fmt.Errorf("modules.json: the path %q leads out of the folder", m.Path)
		}
		folder := filepath.Join(dir, filepath.FromSlash(m.Path))
		var err error
		switch {
		case i == 0 && kind == "Transformer" && m.Path == "":
		case i == 1 && kind == "Pooling":
			err = c.readPooling(filepath.Join(folder, "config.json"))
		case i > 1 && kind == "Dense":
			err = c.readDense(m.Path, filepath.Join(folder, "config.json"))
		case i > 1 && kind == "Normalize":
			c.Modules = append(c.Modules, VectorModule{})
		default:
			err = fmt.Errorf("modules.json: module %d is %s at %q: want a Transformer in the folder itself, Pooling, then Dense or Normalize", i, kind, m.Path)
		}
		if err != nil {
			return err
		}
	}
	if n := len(c.Modules); n > 0 {
		c.Normalize = c.Modules[n-1].Dense == nil
	}
	return c.readPrompts(dir)
}

// poolingModes are the names of poolings: today's, and those of the switches
// that came before.
var poolingModes = map[string]Pooling{
	"mean": MeanPooling, "mean_tokens": MeanPooling,
	"cls": CLSPooling, "cls_token": CLSPooling,
	"lasttoken": LastPooling,
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
	if named, ok := settings["pooling_mode"]; ok {
		var mode string
		if err := json.Unmarshal(named, &mode); err != nil {
			return fmt.Errorf("%s: the pooling_mode %s is not supported, only a single one is", path, named)
		}
		modes = []string{mode}
	}
	if len(modes) != 1 {
		return fmt.Errorf("%s: %d pooling modes are on, want one", path, len(modes))
	}
	pooling, ok := poolingModes[modes[0]]
	if !ok {
		return fmt.Errorf("%s: the pooling mode %q is not supported", path, modes[0])
	}
	if string(settings["include_prompt"]) == "false" {
		return fmt.Errorf("%s: include_prompt is false: pooling without the prompt is not supported", path)
	}
	c.Pooling = pooling
	return nil
}

// readDense adds a linear layer after the pooling.
func (c *EncoderConfig) readDense(folder, path string) error {
	settings := struct {
		In         int    `json:"in_features"`
		Out        int    `json:"out_features"`
		Bias       bool   `json:"bias"`
		Activation string `json:"activation_function"`
		Residual   bool   `json:"use_residual"`
		Input      string `json:"module_input_name"`
		Output     string `json:"module_output_name"`
	}{Bias: true, Activation: "Tanh"}
	if err := readJSON(path, &settings); err != nil {
		return err
	}
	name := strings.ToLower(settings.Activation[strings.LastIndexByte(settings.Activation, '.')+1:])
	activation := identity
	if name != "identity" {
		var err error
		if activation, err = parseActivation(name); err != nil {
			return fmt.Errorf("%s: the activation_function %q is not supported", path, settings.Activation)
		}
	}
	const sentence = "sentence_embedding"
	if settings.Residual || cmp.Or(settings.Input, sentence) != sentence || cmp.Or(settings.Output, sentence) != sentence {
		return fmt.Errorf("%s: a residual connection, or another input or output than %s, is not supported", path, sentence)
	}
	if settings.In != c.Dimensions() || settings.Out < 1 || settings.Out > maxWidth {
		return fmt.Errorf("%s: a layer from %d to %d numbers after vectors of %d", path, settings.In, settings.Out, c.Dimensions())
	}
	c.Modules = append(c.Modules, VectorModule{&DenseModule{folder, settings.In, settings.Out, settings.Bias, activation}})
	return nil
}

// readPrompts reads the prompts, if there are any.
func (c *EncoderConfig) readPrompts(dir string) error {
	const name = "config_sentence_transformers.json"
	if err := readOptionalJSON(filepath.Join(dir, name), &c.Prompts); err != nil {
		return err
	}
	if d := c.Prompts.Default; d != "" {
		if _, ok := c.Prompts.ByName[d]; !ok {
			return fmt.Errorf("%s: the default_prompt_name %q is not among the prompts", name, d)
		}
	}
	return nil
}
