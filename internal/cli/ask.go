package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/rag"
)

// newAskCommand answers a question from files and folders.
func newAskCommand(a *app) *cobra.Command {
	var options corpusFlags
	var models modelFlags
	var asJSON bool
	command := &cobra.Command{
		Use:   "ask FILE|FOLDER... QUESTION",
		Short: "Answer a question from your documents, with citations",
		Long: `Index the files and folders, answer the question from them, and cite.

Every quote is a verbatim span of its source's text, checked before it is
printed, and stands where its citation says: on a line of the file (path:12), on
a page of a PDF, or in a paragraph of a DOCX file, counting those with text.
With --json, line, page and paragraph are null where the format has none, and
start and end count bytes: of the file if it is UTF-8 text, else of the text read
from it. When the documents do not answer, ask says so, shows the nearest passages and
ends with exit code 3. Nothing leaves this machine unless --upstream names a
server.`,
		Example: `  ragstone ask ./handbook "How many days of leave does a new hire get?"
  ragstone ask notes.md report.pdf "Who wrote the report?" --json
  ragstone ask ./docs "What is a segment?" --upstream http://127.0.0.1:11434/v1 --upstream-model qwen3:4b`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return &exitError{exitUsage, errors.New(`ask needs files or folders and then a question: ragstone ask ./docs "What is …?"`)}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			roots, question := args[:len(args)-1], strings.TrimSpace(args[len(args)-1])
			if question == "" {
				return &exitError{exitUsage, errors.New("the question is empty")}
			}
			if err := models.validate(); err != nil {
				return err
			}
			return a.ask(cmd.Context(), roots, question, options, models, asJSON)
		},
	}
	options.register(command)
	models.register(command)
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return command
}

func (a *app) ask(ctx context.Context, roots []string, question string, options corpusFlags, models modelFlags, asJSON bool) error {
	if _, err := absolute(roots); err != nil {
		return err
	}
	path, note, err := a.answererModel(ctx, models)
	if err != nil {
		return err
	}
	corpus, err := a.openCorpus(ctx, roots, options)
	if err != nil {
		return err
	}
	defer corpus.Close()
	answerer, err := a.openAnswerer(ctx, models, path, corpus.embedder)
	if err != nil {
		return err
	}
	defer answerer.Close()

	out := a.newPrinter()
	var say func(string)
	if !asJSON {
		say = out.say
	}
	reply, err := rag.Ask(ctx, corpus.Corpus, answerer.Answerer, question, say)
	if err != nil {
		return err
	}
	if asJSON {
		err = writeJSON(a.stdout, reply)
	} else {
		out.reply(reply, note)
	}
	if err == nil && !reply.Answer.Answered {
		return &exitError{code: exitNoAnswer}
	}
	return err
}

// newSearchCommand shows the passages a question finds.
func newSearchCommand(a *app) *cobra.Command {
	var options corpusFlags
	var asJSON bool
	var top int
	command := &cobra.Command{
		Use:   "search FILE|FOLDER... QUERY",
		Short: "Show the passages of your documents that fit a query best",
		Example: `  ragstone search ./handbook "annual leave"
  ragstone search ./src "retry with backoff" --top 3 --json`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 2 {
				return &exitError{exitUsage, errors.New(`search needs files or folders and then a query: ragstone search ./docs "segments"`)}
			}
			if top < 1 {
				return &exitError{exitUsage, fmt.Errorf("--top is %d: want at least 1", top)}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			query := strings.TrimSpace(args[len(args)-1])
			if query == "" {
				return &exitError{exitUsage, errors.New("the query is empty")}
			}
			corpus, err := a.openCorpus(cmd.Context(), args[:len(args)-1], options)
			if err != nil {
				return err
			}
			defer corpus.Close()
			results, err := corpus.Search(cmd.Context(), query, rag.SearchOptions{K: top})
			if err != nil {
				return err
			}
			if asJSON {
				err = writeJSON(a.stdout, results)
			} else {
				a.newPrinter().passages(results)
			}
			if err == nil && len(results.Hits) == 0 {
				return &exitError{code: exitNoAnswer}
			}
			return err
		},
	}
	options.register(command)
	command.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	command.Flags().IntVar(&top, "top", 10, "how many passages to show")
	return command
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
