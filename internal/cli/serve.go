package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/catalog"
	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/internal/server"
)

// newServeCommand serves the API until it is interrupted.
func newServeCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "serve",
		Short: "Serve the OpenAI API with local models",
		Long: `Serve chat completions, completions, embeddings and models to programs that
speak the OpenAI API. Point their base URL here and give them a key:

  OPENAI_BASE_URL=http://127.0.0.1:8080/v1 OPENAI_API_KEY=sk-proj-…

The first start makes a key and shows it once; ` + "`ragstone keys`" + ` makes, lists and
revokes keys, also while the server runs. Names such as gpt-4o-mini mean the
local models, and the header x-ragstone-model says which one ran. No request
leaves this machine unless --upstream names a server.

Ctrl-C or SIGTERM stops it: running answers have a while to finish. Settings may
stand in a file: ` + "`ragstone config --help`" + ` says how.`,
		Example: `  ragstone serve
  ragstone serve --addr 127.0.0.1:9000 --model ./my-model.gguf
  ragstone serve --upstream https://api.openai.com/v1 --model none`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.serve(c.Context()) },
	}
	addSettings(c, config.Flags()...)
	complete(c, "model", append(modelNames(catalog.Chat, catalog.Base), "none")...)
	complete(c, "embedding-model", append(modelNames(catalog.Embed), "none")...)
	return c
}

func (a *app) serve(ctx context.Context) error {
	s, err := server.Open(ctx, a.config, server.Options{
		FindModel: a.modelPath,
		Log:       a.newLog(),
	})
	if err != nil {
		return err
	}
	a.showNotice(s.Notice())
	return errors.Join(s.Serve(ctx), s.Close())
}

// newLog returns the server's log, as it is configured.
func (a *app) newLog() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.config.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if a.config.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(a.stderr, options))
	}
	return slog.New(slog.NewTextHandler(a.stderr, options))
}

// showNotice tells the operator what has started, and a program that starts us
// at which address.
func (a *app) showNotice(n server.Notice) {
	fmt.Fprintf(a.stdout, "Ragstone serves the OpenAI API at %s\n", n.URL)
	for _, url := range n.URLs {
		fmt.Fprintf(a.stdout, "  and to other machines at %s\n", url)
	}
	if n.FirstKey != "" {
		fmt.Fprintf(a.stdout, "API key: %s\n  It is shown this once; `ragstone keys create` makes another.\n", n.FirstKey)
	} else {
		fmt.Fprintln(a.stdout, "API keys: `ragstone keys list` shows them, `ragstone keys create` makes one.")
	}
	for _, model := range n.Models {
		var names []string
		for _, alias := range n.Aliases {
			if alias.Model == model {
				names = append(names, alias.Name)
			}
		}
		line := "Model: " + model
		if names != nil {
			line += ", also as " + strings.Join(names, ", ")
		}
		fmt.Fprintln(a.stdout, line)
	}
	if len(n.Upstreams) > 0 {
		fmt.Fprintf(a.stdout, "Upstreams: %s\n", strings.Join(n.Upstreams, ", "))
	}
	switch {
	case n.Upstream != "":
		fmt.Fprintf(a.stdout, "Upstream: every other name goes to %s\n", n.Upstream)
	case len(n.Models) == 0 && len(n.Upstreams) == 0:
		fmt.Fprintln(a.stdout, "No model is loaded and no upstream is named: every model call will be refused.")
	}
	fmt.Fprintf(a.stdout, "Try it:\n  %s\n", curl(n))
}

// curl is a command line that asks the server something it can answer.
func curl(n server.Notice) string {
	key := n.FirstKey
	if key == "" {
		key = "$OPENAI_API_KEY"
	}
	command := fmt.Sprintf(`curl %s%%s -H "Authorization: Bearer %s"`, n.URL, key)
	const post = ` -H "Content-Type: application/json" -d '%s'`
	switch {
	case n.Chat != "":
		return fmt.Sprintf(command+post, "/chat/completions", fmt.Sprintf(`{"model": %q, "messages": [{"role": "user", "content": "Say hello."}]}`, n.Chat))
	case n.Embeds != "":
		return fmt.Sprintf(command+post, "/embeddings", fmt.Sprintf(`{"model": %q, "input": "hello"}`, n.Embeds))
	}
	return fmt.Sprintf(command, "/models")
}
