package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/llm"
)

// benchRepeat is a measurement of what guessing ahead saves, and its result: a
// row for each text.
type benchRepeat struct {
	Model   string           `json:"model"`
	Threads int              `json:"threads"`
	Rows    []benchRepeatRow `json:"rows"`

	runs int
}

// benchRepeatRow is the medians of some runs, with guesses and without.
type benchRepeatRow struct {
	Text    string  `json:"text"`
	Tokens  int     `json:"tokens"`
	Guessed int     `json:"guessed"` // tokens run ahead of time
	Right   int     `json:"right"`   // of which were right
	With    float64 `json:"with_tps"`
	Without float64 `json:"without_tps"`
	Ratio   float64 `json:"ratio"`     // of a run with to one without beside it
	CPU     float64 `json:"cpu_ratio"` // the same of processor time; 0 where the platform does not tell
}

// repeats are prompts whose continuation has much of them: a quote, an edit,
// objects with the same keys.
var repeats = []struct{ name, prompt string }{
	{"quote", quoted + "\n\nThe same passage, word for word:\n\n\"The keeper of the lighthouse"},
	{"edit", quoted + "\n\nThe same passage, with the keeper called the guardian:\n\n\"The guardian of the lighthouse on Gull Island was paid"},
	{"JSON", listed},
}

const quoted = `"The keeper of the lighthouse on Gull Island was paid in barrels of oil until the year 1871. ` +
	`Each spring a boat brought sixty barrels, of which forty were burned in the lamp, ten were sold to the ` +
	`fishermen of the bay, and ten were kept against a late winter. In the winter of 1869 the ice stayed until ` +
	`May, and the keeper burned his furniture to keep the light. The harbour board paid for a new table and four ` +
	`chairs, and wrote him a letter of thanks, which still hangs in the kitchen of the house. He never sat on ` +
	`the new chairs while he was on duty, and said that the old ones had been better."`

const listed = `[
  {"order_number": 1001, "customer_country": "Denmark", "currency": "EUR", "payment_status": "paid", "shipping_method": "standard", "total_amount": 19.90},
  {"order_number": 1002, "customer_country": "Sweden", "currency": "EUR", "payment_status": "paid", "shipping_method": "express", "total_amount": 42.50},
  {"order_number": 1003, "customer_country": "Denmark", "currency": "EUR", "payment_status": "open", "shipping_method": "standard", "total_amount": 7.25},
  {"order_number":`

// newBenchRepeatCommand measures a model that guesses ahead.
func newBenchRepeatCommand(a *app) *cobra.Command {
	var b benchRepeat
	var asJSON bool
	command := &cobra.Command{
		Use:   "repeat NAME|FILE",
		Short: "Measure what guessing ahead saves where a text repeats its prompt",
		Long: `Measure what guessing ahead saves where a text repeats its prompt: a quote, an
edit, a list of JSON objects. The model writes each with guesses and without, in
turn; it is an error if the texts differ. Rates are the medians of several runs.`,
		Example: `  ragstone bench repeat smollm2-135m-instruct`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if b.runs < 1 || b.Threads < 0 {
				return &exitError{exitUsage, fmt.Errorf("--runs must be positive and --threads not negative")}
			}
			if b.Threads == 0 {
				b.Threads = a.config.Threads
			}
			place, err := a.modelPath(c.Context(), args[0])
			if err != nil {
				return err
			}
			b.Model = args[0]
			if err := b.run(c.Context(), place); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(a.stdout).Encode(b)
			}
			for _, r := range b.Rows {
				fmt.Fprintf(a.stdout, "%s, %d threads, %s of %d tokens: %.0f tokens/s with guesses (%d of %d right), %.0f without, ratio %.2f, of processor time %.2f\n",
					b.Model, b.Threads, r.Text, r.Tokens, r.With, r.Right, r.Guessed, r.Without, r.Ratio, r.CPU)
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.IntVar(&b.Threads, "threads", 0, "threads; 0 means as configured")
	flags.IntVar(&b.runs, "runs", 5, "runs to take the median of")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return command
}

// run opens the model twice, guessing and not, and measures every text.
func (b *benchRepeat) run(ctx context.Context, place string) error {
	var sides [2]*llm.Local
	for i, speculate := range []int{0, -1} {
		local, err := llm.OpenLocal(ctx, place, llm.Options{Threads: b.Threads, Speculate: speculate})
		if err != nil {
			return err
		}
		defer local.Close()
		sides[i] = local
	}
	for _, r := range repeats {
		row, err := b.measure(ctx, sides, r.prompt)
		if err != nil {
			return err
		}
		row.Text = r.name
		b.Rows = append(b.Rows, row)
	}
	return nil
}

// measure lets both sides write a text in turn, once more than counts.
func (b *benchRepeat) measure(ctx context.Context, sides [2]*llm.Local, prompt string) (row benchRepeatRow, err error) {
	var with, without, ratios, cpu []float64
	for range b.runs + 1 {
		var texts [2]writtenText
		for i, local := range sides {
			if texts[i], err = writeText(ctx, local, prompt); err != nil {
				return row, err
			}
		}
		if texts[0].text != texts[1].text {
			return row, fmt.Errorf("measure guesses: with them the text is %q, without %q", texts[0].text, texts[1].text)
		}
		row.Tokens = texts[0].usage.CompletionTokens
		row.Guessed, row.Right = texts[0].usage.GuessedTokens, texts[0].usage.GuessedRight
		with = append(with, texts[0].rate())
		without = append(without, texts[1].rate())
		ratios = append(ratios, texts[0].rate()/texts[1].rate())
		if texts[0].cpu > 0 {
			cpu = append(cpu, float64(texts[1].cpu)/float64(texts[0].cpu))
		}
	}
	row.With, row.Without, row.Ratio = median(with[1:]), median(without[1:]), median(ratios[1:])
	if len(cpu) > b.runs {
		row.CPU = median(cpu[1:])
	}
	return row, nil
}

// writtenText is a completion and what it took.
type writtenText struct {
	text  string
	usage llm.Usage
	cpu   time.Duration // from the first piece on
}

// rate is the tokens a second after the first, which the prompt's reading gave.
func (w *writtenText) rate() float64 {
	return float64(w.usage.CompletionTokens-1) / w.usage.Timings.Writing.Seconds()
}

// writeText lets a model go on with a prompt by its likeliest tokens.
func writeText(ctx context.Context, local *llm.Local, prompt string) (w writtenText, err error) {
	const tokens = 128
	greedy := 0.0
	var text strings.Builder
	var began time.Duration
	for d, err := range local.Generate(ctx, llm.Request{Prompt: prompt, MaxTokens: tokens, Temperature: &greedy, IgnoreEnd: true}) {
		if err != nil {
			return w, err
		}
		if text.Len() == 0 {
			began = cpuTime()
		}
		text.WriteString(d.Text)
		if d.Usage != nil {
			w.usage = *d.Usage
		}
	}
	w.text, w.cpu = text.String(), cpuTime()-began
	return w, nil
}
