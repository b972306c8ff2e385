package llm

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSamplingStandsInForWhatIsNotSaid(t *testing.T) {
	s := Sampling{Temperature: new(0.2), TopP: new(0.9), TopK: 40}
	tests := []struct {
		name      string
		req, want Request
	}{
		{"nothing said", Request{}, Request{Temperature: new(0.2), TopP: new(0.9), TopK: 40}},
		{"a part said", Request{TopP: new(0.5)}, Request{Temperature: new(0.2), TopP: new(0.5), TopK: 40}},
		{"a temperature said", Request{Temperature: new(1.0)}, Request{Temperature: new(1.0)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.complete(&tt.req)
			if diff := cmp.Diff(tt.want, tt.req); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestCheckpointSampling(t *testing.T) {
	dir := t.TempDir()
	if s, err := checkpointSampling(dir); err != nil || s != (Sampling{}) {
		t.Errorf("without a file: got %+v, %v", s, err)
	}
	write := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, generationFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"do_sample": true, "temperature": 0.6, "top_k": 20, "eos_token_id": [1, 2]}`)
	s, err := checkpointSampling(dir)
	if err != nil || s.Temperature == nil || *s.Temperature != 0.6 || s.TopK != 20 {
		t.Errorf("got %+v, %v", s, err)
	}
	for _, bad := range []string{`{"temperature": "hot"}`, `{"temperature": -1}`, `{"top_k": -5}`, `[]`, `{`} {
		write(bad)
		if s, err := checkpointSampling(dir); err == nil {
			t.Errorf("%s was read as %+v", bad, s)
		}
	}
}
