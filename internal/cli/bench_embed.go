package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/model"
)

// benchEmbed is a measurement of an encoder and its result.
type benchEmbed struct {
	Model     string  `json:"model"`
	Batch     int     `json:"batch"`
	Tokens    int     `json:"tokens"`
	Threads   int     `json:"threads"`
	Kernels   string  `json:"kernels"`
	Precision string  `json:"precision"`
	LoadMS    float64 `json:"load_ms"`
	Runs      int     `json:"runs"`
	TextsPS   float64 `json:"texts_per_second"`
	TokensPS  float64 `json:"tokens_per_second"`
	BatchMS   float64 `json:"batch_ms"`
	FastestMS float64 `json:"fastest_batch_ms"`
	CPUMS     float64 `json:"cpu_ms_per_batch"` // of all threads; 0 where the platform does not tell

	seconds float64
	pairs   bool
}

// newBenchEmbedCommand measures an embedding model.
func newBenchEmbedCommand(a *app) *cobra.Command {
	var b benchEmbed
	var asJSON bool
	command := &cobra.Command{
		Use:   "embed NAME|FOLDER",
		Short: "Measure an embedding model",
		Long: `Measure an embedding model: the vectors of batches of texts of one length,
made of random tokens; or with --pairs a cross-encoder, whose texts are pairs. The
rates are those of the median batch; the tokenizer's work is not included.`,
		Example: `  ragstone bench embed all-minilm-l6-v2
  ragstone bench embed all-minilm-l6-v2 --batch 1 --tokens 16 --threads 1 --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if b.Batch < 1 || b.Tokens < 1 || b.Threads < 0 || !(b.seconds > 0) {
				return &exitError{exitUsage, fmt.Errorf("--batch, --tokens and --seconds must be positive and --threads not negative")}
			}
			if b.Threads == 0 {
				b.Threads = a.config.Threads
			}
			dir, err := a.modelPath(c.Context(), args[0])
			if err != nil {
				return err
			}
			b.Model = args[0]
			if err := b.run(c.Context(), dir); err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(a.stdout).Encode(b)
			}
			_, err = fmt.Fprintf(a.stdout, "%s, %d texts of %d tokens at a time, %d threads (%s): %.1f texts/s, %.0f tokens/s, %.2f ms a batch\n",
				b.Model, b.Batch, b.Tokens, b.Threads, b.Kernels, b.TextsPS, b.TokensPS, b.BatchMS)
			return err
		},
	}
	flags := command.Flags()
	flags.IntVar(&b.Batch, "batch", 32, "texts in a batch")
	flags.IntVar(&b.Tokens, "tokens", 128, "tokens in a text")
	flags.IntVar(&b.Threads, "threads", 0, "threads; 0 means as configured")
	flags.StringVar(&b.Precision, "precision", string(model.Exact), "f32 or int8")
	flags.BoolVar(&b.pairs, "pairs", false, "the model is a cross-encoder: measure its scores of pairs")
	flags.Float64Var(&b.seconds, "seconds", 2, "how long to measure")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return command
}

// run loads the encoder and measures batches until the time is over: at least
// three, after one that does not count.
func (b *benchEmbed) run(ctx context.Context, dir string) error {
	pool := kernel.NewPool(b.Threads)
	defer pool.Close()
	start := time.Now()
	encode, vocabulary, err := b.load(dir, model.EncoderOptions{Pool: pool, Precision: model.Precision(b.Precision)})
	if err != nil {
		return err
	}
	b.LoadMS = milliseconds(time.Since(start))
	b.Kernels = kernel.Current().String()
	batch := randomTexts(b.Batch, b.Tokens, vocabulary)
	if _, err := encode(ctx, batch); err != nil {
		return err
	}
	var times []float64
	used := cpuTime()
	for start := time.Now(); len(times) < 3 || time.Since(start).Seconds() < b.seconds; {
		before := time.Now()
		if _, err := encode(ctx, batch); err != nil {
			return err
		}
		times = append(times, milliseconds(time.Since(before)))
	}
	b.CPUMS = milliseconds(cpuTime()-used) / float64(len(times))
	b.Runs, b.BatchMS, b.FastestMS = len(times), median(times), slices.Min(times)
	b.TextsPS = float64(b.Batch) / b.BatchMS * 1000
	b.TokensPS = b.TextsPS * float64(b.Tokens)
	return nil
}

// load returns what makes vectors, or scores, and the size of the vocabulary.
func (b *benchEmbed) load(dir string, o model.EncoderOptions) (encode func(context.Context, []model.Sequence) ([][]float32, error), vocabulary int, err error) {
	if b.pairs {
		e, err := model.LoadCrossEncoder(dir, o)
		if err != nil {
			return nil, 0, err
		}
		return e.Score, e.Config().Vocab, nil
	}
	e, err := model.LoadEncoder(dir, o)
	if err != nil {
		return nil, 0, err
	}
	return e.EncodeSequences, e.Config().Vocab, nil
}

// randomTexts returns the same sequences of token ids every time.
func randomTexts(count, length, vocab int) []model.Sequence {
	r := rand.New(rand.NewPCG(1, 1))
	texts := make([]model.Sequence, count)
	for i := range texts {
		texts[i].Tokens = make([]int32, length)
		for j := range texts[i].Tokens {
			texts[i].Tokens[j] = r.Int32N(int32(vocab))
		}
	}
	return texts
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
