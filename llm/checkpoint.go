package llm

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/model"
)

// The files of a Hugging Face checkpoint. Those that describe the template are
// optional.
const (
	configFile          = "config.json"
	weightsFile         = "model.safetensors"
	tokenizerFile       = "tokenizer.json"
	tokenizerConfigFile = "tokenizer_config.json"
	templateFile        = "chat_template.jinja"
)

// openCheckpoint loads a model from a folder in Hugging Face's layout.
func openCheckpoint(dir string, o Options) (*Local, error) {
	inspected, err := model.InspectDecoderFolder(dir, o.decoder(nil))
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("the folder holds neither a GGUF file nor a checkpoint: %w", err)
	} else if err != nil {
		return nil, err
	}
	limits, err := o.limits(inspected)
	if err != nil {
		return nil, err
	}
	words, err := readTokenizer(dir)
	if err != nil {
		return nil, err
	}
	sampling, err := checkpointSampling(dir)
	if err != nil {
		return nil, err
	}
	o.Sampling = o.Sampling.over(sampling)
	source, err := checkpointTemplate(dir)
	if err != nil {
		return nil, err
	}
	speech, err := parseTemplate(source, words)
	if err != nil {
		return nil, err
	}
	pool := kernel.NewPool(o.Threads)
	d, err := model.LoadDecoderFolder(dir, o.decoder(pool))
	if err != nil {
		pool.Close()
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	if err != nil {
		pool.Close()
		return nil, err
	}
	files = append(files, filepath.Join(dir, configFile), filepath.Join(dir, tokenizerFile))
	return assemble(o, d, pool, words, speech, limits, files), nil
}

// checkpointTemplate returns the source of a checkpoint's chat template, empty
// where it has none.
func checkpointTemplate(dir string) (string, error) {
	source, err := os.ReadFile(filepath.Join(dir, templateFile))
	if err == nil || !errors.Is(err, os.ErrNotExist) {
		return string(source), err
	}
	data, err := os.ReadFile(filepath.Join(dir, tokenizerConfigFile))
	if errors.Is(err, os.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	var config struct {
		Template string `json:"chat_template"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return "", fmt.Errorf("%s: %w", tokenizerConfigFile, err)
	}
	return config.Template, nil
}
