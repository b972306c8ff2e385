package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/model"
)

// benchModel is a measurement of a decoder and its result, a row for each
// length of prompt.
type benchModel struct {
	Model   string          `json:"model"`
	Kernels string          `json:"kernels"`
	LoadMS  float64         `json:"load_ms"`
	Bytes   int64           `json:"token_bytes"` // weights read for every token
	Rows    []benchModelRow `json:"rows"`

	prompts                      []int
	decode, depth, threads, runs int
	precision, kv, kernels       string
	withBus                      bool
}

// benchModelRow is the medians of some runs.
type benchModelRow struct {
	Prompt     int     `json:"prompt"`
	Decode     int     `json:"decode"`
	Threads    int     `json:"threads"`
	Runs       int     `json:"runs"`
	PrefillTPS float64 `json:"prefill_tps"` // prompt tokens a second, in one go
	Depth      int     `json:"depth"`
	DecodeTPS  float64 `json:"decode_tps"`    // tokens a second, one at a time, from a context of depth tokens on
	CPUMS      float64 `json:"cpu_ms"`        // of all threads for one prompt and one decoding; 0 where the platform does not tell
	DecodeCPU  float64 `json:"decode_cpu_ms"` // the decoding's part of it
	BusGBPS    float64 `json:"bus_gbps"`      // with --bus: gigabytes a second that plain reads of as much memory reach between the decodings
	OfBus      float64 `json:"of_bus"`        // what decoding reaches of that: a median read over a median token, the median of the runs
}

// newBenchModelCommand measures a language model.
func newBenchModelCommand(a *app) *cobra.Command {
	var b benchModel
	var asJSON bool
	command := &cobra.Command{
		Use:   "model NAME|FILE",
		Short: "Measure a language model",
		Long: `Measure a language model: how many tokens of a prompt it reads in a second, and
how many it writes. Tokens are arbitrary; tokenizer and sampling are not included.
The rates are the medians of several runs, after one that does not count. With --bus
as much memory as the weights take is read between the decodings by as many threads,
which is as fast as decoding could be.`,
		Example: `  ragstone bench model smollm2-135m-instruct
  ragstone bench model smollm2-135m-instruct --prompt 256,512,2048 --decode 64 --threads 1 --json
  ragstone bench model smollm2-135m-instruct --kernels avx2`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			for _, n := range append(b.prompts, b.decode, b.runs) {
				if n < 1 || b.threads < 0 || b.depth < 0 {
					return &exitError{exitUsage, fmt.Errorf("--prompt, --decode and --runs must be positive, --threads and --depth not negative")}
				}
			}
			if b.threads == 0 {
				b.threads = a.config.Threads
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
				fmt.Fprintf(a.stdout, "%s, %d threads (%s): prompt of %d tokens %.0f tokens/s, decoding %d tokens %.1f tokens/s\n",
					b.Model, r.Threads, b.Kernels, r.Prompt, r.PrefillTPS, r.Decode, r.DecodeTPS)
				if b.withBus {
					fmt.Fprintf(a.stdout, "  %.2f of the memory bus, %.1f GB/s\n", r.OfBus, r.BusGBPS)
				}
			}
			return nil
		},
	}
	flags := command.Flags()
	flags.IntSliceVar(&b.prompts, "prompt", []int{512}, "tokens of the prompt; several lengths separated by commas")
	flags.IntVar(&b.decode, "decode", 64, "tokens to decode")
	flags.IntVar(&b.depth, "depth", 0, "tokens of context before those decoded")
	flags.StringVar(&b.kv, "kv", string(model.Halves), "f16 or q8: how keys and values are kept")
	flags.IntVar(&b.threads, "threads", 0, "threads; 0 means as configured")
	flags.StringVar(&b.precision, "precision", string(model.Exact), "f32 or int8: of what goes into products")
	flags.BoolVar(&b.withBus, "bus", false, "compare decoding with plain reads of memory")
	flags.StringVar(&b.kernels, "kernels", "", "kernels to use: plain, avx2 or avx512; default the best there are")
	flags.IntVar(&b.runs, "runs", 3, "runs to take the median of")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return command
}

// run loads the decoder and measures each length of prompt.
func (b *benchModel) run(ctx context.Context, place string) error {
	restore, err := useKernels(b.kernels)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	defer restore()
	pool := kernel.NewPool(b.threads)
	defer pool.Close()
	start := time.Now()
	d, err := loadDecoder(place, model.DecoderOptions{Pool: pool, Precision: model.Precision(b.precision), Cache: model.CachePrecision(b.kv)})
	if err != nil {
		return err
	}
	b.LoadMS = milliseconds(time.Since(start))
	b.Kernels, b.Bytes = kernel.Current().String(), d.TokenBytes()
	var bus *memoryBus
	if b.withBus {
		if bus, err = newMemoryBus(b.Bytes, pool); err != nil {
			return err
		}
		defer bus.close()
	}
	for _, prompt := range b.prompts {
		row, err := b.measure(ctx, d, bus, prompt)
		if err != nil {
			return err
		}
		b.Rows = append(b.Rows, row)
	}
	return nil
}

// loadDecoder loads a GGUF file, the one GGUF file in a folder, or a folder of
// Hugging Face's layout.
func loadDecoder(place string, options model.DecoderOptions) (*model.Decoder, error) {
	if info, err := os.Stat(place); err == nil && info.IsDir() {
		files, err := filepath.Glob(filepath.Join(place, "*.gguf"))
		if err != nil {
			return nil, err
		}
		switch len(files) {
		case 0:
			return model.LoadDecoderFolder(place, options)
		case 1:
			place = files[0]
		default:
			return nil, misuse("%s has %d GGUF files: name one", place, len(files))
		}
	}
	f, err := gguf.Open(place)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return model.LoadDecoder(f, options)
}

// measure runs a prompt and a decoding several times, and once before that.
func (b *benchModel) measure(ctx context.Context, d *model.Decoder, bus *memoryBus, prompt int) (benchModelRow, error) {
	row := benchModelRow{Prompt: prompt, Decode: b.decode, Depth: b.depth, Threads: b.threads, Runs: b.runs}
	tokens := arbitraryTokens(max(prompt, b.decode, b.depth), d.Config().Vocab)
	logits := [][]float32{make([]float32, d.Config().Vocab)}
	c := d.NewCache()
	defer c.Free()
	step := func(tokens []int32) error {
		return d.Forward(ctx, []*model.Input{{Cache: c, Tokens: tokens, Rows: []int{len(tokens) - 1}, Logits: logits}})
	}
	var prefill, decode, used, decodeCPU, reads, ofBus []float64
	for range b.runs + 1 {
		c.Truncate(0)
		start, cpu := time.Now(), cpuTime()
		if err := step(tokens[:prompt]); err != nil {
			return row, err
		}
		prefill = append(prefill, time.Since(start).Seconds())
		reading := cpuTime() - cpu
		c.Truncate(0)
		if b.depth > 0 {
			if err := step(tokens[:b.depth]); err != nil {
				return row, err
			}
		}
		start, cpu = time.Now(), cpuTime()
		var steps []float64
		for i := range b.decode {
			began := time.Now()
			if err := step(tokens[i : i+1]); err != nil {
				return row, err
			}
			steps = append(steps, time.Since(began).Seconds())
		}
		decode = append(decode, time.Since(start).Seconds())
		writing := cpuTime() - cpu
		used, decodeCPU = append(used, milliseconds(reading+writing)), append(decodeCPU, milliseconds(writing))
		if bus != nil {
			read := median(bus.read(max(1, b.decode/4)))
			reads = append(reads, float64(b.Bytes)/read/1e9)
			ofBus = append(ofBus, read/median(steps))
		}
	}
	row.PrefillTPS = float64(prompt) / median(prefill[1:])
	row.DecodeTPS = float64(b.decode) / median(decode[1:])
	row.CPUMS, row.DecodeCPU = median(used[1:]), median(decodeCPU[1:])
	if bus != nil {
		row.BusGBPS, row.OfBus = median(reads[1:]), median(ofBus[1:])
	}
	return row, nil
}

// arbitraryTokens returns token ids without meaning.
func arbitraryTokens(n, vocab int) []int32 {
	tokens := make([]int32, n)
	for i := range tokens {
		tokens[i] = int32((i*37 + 259) % vocab)
	}
	return tokens
}
