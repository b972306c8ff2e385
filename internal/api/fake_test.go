package api

import (
	"context"
	"errors"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/ragstone/ragstone/internal/platform/inference"
	"github.com/ragstone/ragstone/llm"
)

// fakeModel writes the same words to everybody. Words in the prompt make it
// behave otherwise.
type fakeModel struct {
	seen    func(llm.Request) // called with every request
	waiting chan<- struct{}   // told when a request has begun to wait
	ended   chan<- struct{}   // told when such a request's context has ended
	letGo   <-chan struct{}   // lets a request begin that is slow to
}

const fakeContext = 32 // tokens, which are words

var fakeWords = []string{"one", " two", " three", " four", " five", " six", " seven", " eight"}

func (m *fakeModel) Generate(ctx context.Context, r llm.Request) iter.Seq2[llm.Delta, error] {
	if m.seen != nil {
		m.seen(r)
	}
	prompt := r.Prompt
	for _, message := range r.Messages {
		prompt += message.Content + " "
	}
	return func(yield func(llm.Delta, error) bool) {
		if err := fakeRefusal(prompt); err != nil {
			yield(llm.Delta{}, err)
			return
		}
		usage := llm.Usage{PromptTokens: len(strings.Fields(prompt)) + len(r.Tokens)}
		for i := range max(r.N, 1) {
			written, err := m.write(ctx, r, prompt, i, yield)
			if err != nil {
				yield(llm.Delta{}, err)
				return
			}
			if written < 0 {
				return
			}
			usage.CompletionTokens += written
		}
		if strings.Contains(prompt, "TIMED") {
			usage.Timings = llm.Timings{Waited: time.Second, Reading: 2 * time.Second, Writing: 3 * time.Second}
		}
		yield(llm.Delta{Usage: &usage}, nil)
	}
}

func fakeRefusal(prompt string) error {
	switch n := len(strings.Fields(prompt)); {
	case n > fakeContext:
		return &llm.ContextLengthError{Limit: fakeContext, Requested: n}
	case strings.Contains(prompt, "BUSY"):
		return llm.ErrBusy
	case strings.Contains(prompt, "PANIC"):
		panic("the fake model was told to")
	case strings.Contains(prompt, "NO-MEMORY"):
		return &llm.MemoryError{What: "the request", Need: 2e9, Limit: 1e9}
	case strings.Contains(prompt, "UPSTREAM-500"):
		return &llm.UpstreamError{Status: 500, Message: "no luck"}
	case strings.Contains(prompt, "UNKNOWN"):
		return errors.New("the disk at /secret/path is on fire")
	}
	return nil
}

// write yields choice i and returns how many tokens it has, or -1 when the
// reader has gone.
func (m *fakeModel) write(ctx context.Context, r llm.Request, prompt string, i int, yield func(llm.Delta, error) bool) (int, error) {
	if r.Echo && !yield(llm.Delta{Index: i, Text: prompt, Tokens: fakeTokens(r, prompt, math.NaN())}, nil) {
		return -1, nil
	}
	if strings.Contains(prompt, "SLOW") { // to begin
		m.waiting <- struct{}{}
		select {
		case <-m.letGo:
		case <-ctx.Done():
			m.ended <- struct{}{}
			return 0, ctx.Err()
		}
		if strings.Contains(prompt, "LATE-ERROR") {
			return 0, &llm.UpstreamError{Status: 500, Message: "no luck"}
		}
	}
	finish := llm.FinishStop
	for n, word := range fakeWords {
		if r.MaxTokens == llm.NoTokens || r.MaxTokens > 0 && n == r.MaxTokens {
			finish = llm.FinishLength
			yield(llm.Delta{Index: i, FinishReason: finish}, nil)
			return n, nil
		}
		if strings.Contains(prompt, "BREAK") && n == 2 {
			return 0, &llm.UpstreamError{Message: "the connection was lost"}
		}
		if strings.Contains(prompt, "WAIT") && n == 1 {
			m.waiting <- struct{}{}
			<-ctx.Done()
			m.ended <- struct{}{}
			return 0, ctx.Err()
		}
		if !yield(llm.Delta{Index: i, Text: word, Tokens: fakeTokens(r, word, -0.25)}, nil) {
			return -1, nil
		}
	}
	yield(llm.Delta{Index: i, FinishReason: finish}, nil)
	return len(fakeWords), nil
}

func fakeTokens(r llm.Request, text string, logProb float64) []llm.TokenLogProb {
	if !r.LogProbs {
		return nil
	}
	token := llm.TokenLogProb{ID: 7, Bytes: []byte(text), LogProb: logProb}
	for range r.TopLogProbs {
		token.Top = append(token.Top, llm.TokenLogProb{Bytes: []byte(text), LogProb: logProb})
	}
	return []llm.TokenLogProb{token}
}

// fakeVocabulary has one token for each word it knows.
type fakeVocabulary struct{}

func (fakeVocabulary) Encode(text string) []int32 {
	if text == " the" {
		return []int32{5}
	}
	return []int32{1, 2}
}

func (fakeVocabulary) Decode(ids []int32) string {
	if len(ids) == 1 && ids[0] == 5 {
		return " the"
	}
	return "?"
}

// fakeEmbedder gives a text the vector (bytes, words, 1, 0), of length 1, and
// has a window of eight words.
type fakeEmbedder struct{}

func (fakeEmbedder) Dimensions() int       { return 4 }
func (fakeEmbedder) Window() int           { return 8 }
func (fakeEmbedder) Count(text string) int { return len(strings.Fields(text)) }

func (e fakeEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	for _, text := range texts {
		if n := e.Count(text); n > e.Window() {
			return nil, &llm.ContextLengthError{Limit: e.Window(), Requested: n}
		}
	}
	return e.EmbedLong(ctx, texts)
}

func (e fakeEmbedder) EmbedLong(_ context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		v := []float64{float64(len(text)), float64(e.Count(text)), 1, 0}
		norm := math.Sqrt(v[0]*v[0] + v[1]*v[1] + v[2]*v[2])
		for _, x := range v {
			vectors[i] = append(vectors[i], float32(x/norm))
		}
	}
	return vectors, nil
}

// fakeService serves the fake models under the default aliases.
func fakeService(model *fakeModel, c inference.Config) *inference.Service {
	embedder := fakeEmbedder{}
	c.Models = []inference.Model{
		{Name: "fake-chat", Created: time.Unix(1_700_000_000, 0), Fingerprint: "fp_fake", Generator: model, Vocabulary: fakeVocabulary{}, Context: fakeContext},
		{Name: "fake-embed", Created: time.Unix(1_700_000_000, 0), Embedder: embedder, Windowed: embedder},
	}
	c.Aliases = inference.DefaultAliases("fake-chat", "fake-embed")
	return inference.New(c)
}
