package config

import (
	"strings"
	"testing"
)

func environment(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func load(getenv func(string) string, overrides []Override) (Config, error) {
	return newLoader(getenv).load(overrides)
}

func TestFlagOverEnvironmentOverDefault(t *testing.T) {
	tests := []struct {
		name  string
		env   []string
		flags []Override
		want  string
	}{
		{"default", nil, nil, "127.0.0.1:8080"},
		{"environment", []string{"RAGSTONE_ADDR", "127.0.0.1:1"}, nil, "127.0.0.1:1"},
		{"flag", nil, []Override{{"addr", "127.0.0.1:2"}}, "127.0.0.1:2"},
		{"flag over environment", []string{"RAGSTONE_ADDR", "127.0.0.1:1"}, []Override{{"addr", "127.0.0.1:2"}}, "127.0.0.1:2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := load(environment(append(test.env, "RAGSTONE_HOME", "/h")...), test.flags)
			if err != nil || c.Addr != test.want {
				t.Errorf("Addr = %q, %v; want %q", c.Addr, err, test.want)
			}
		})
	}
}

func TestMemoryHasUnits(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1000": 1000, "2GB": 2e9, "1.5 GiB": 3 << 29, "512mb": 512e6} {
		c, err := load(environment("RAGSTONE_HOME", "/h", "RAGSTONE_MAX_MEMORY", text), nil)
		if err != nil || c.MaxMemory != want {
			t.Errorf("%q: got %d, %v; want %d", text, c.MaxMemory, err, want)
		}
	}
	for _, text := range []string{"-1", "much", "1 parsec", "99999999999999999999GB"} {
		if c, err := load(environment("RAGSTONE_HOME", "/h", "RAGSTONE_MAX_MEMORY", text), nil); err == nil {
			t.Errorf("%q was taken as %d bytes", text, c.MaxMemory)
		}
	}
}

func TestEveryProblemIsReportedAtOnce(t *testing.T) {
	_, err := load(environment("RAGSTONE_HOME", "/h", "RAGSTONE_THREADS", "many", "RAGSTONE_MAX_MEMORY", "-1", "RAGSTONE_ADDR", "8080"),
		[]Override{{"upstream", "example.com"}, {"tokens-per-minute", "0"}})
	if err == nil {
		t.Fatal("load accepted five bad values")
	}
	for _, want := range []string{`RAGSTONE_THREADS is "many"`, `RAGSTONE_MAX_MEMORY is "-1"`, `RAGSTONE_ADDR is "8080"`, `--upstream is "example.com"`, `--tokens-per-minute is "0"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

func TestValues(t *testing.T) {
	c, err := load(environment("XDG_DATA_HOME", "/data", "HF_ENDPOINT", "https://mirror", "NO_COLOR", "1", "HF_TOKEN", "t"),
		[]Override{{"model", "none"}, {"upstream", "https://api.openai.com/v1/"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, got, want string }{
		{"Home", c.Home, "/data/ragstone"},
		{"HubURL", c.HubURL, "https://mirror"},
		{"ChatModel", c.ChatModel, ""},
		{"EmbeddingModel", c.EmbeddingModel, DefaultEmbeddingModel},
		{"Upstream", c.Upstream, "https://api.openai.com/v1"},
	} {
		if test.got != test.want {
			t.Errorf("%s = %q, want %q", test.name, test.got, test.want)
		}
	}
	if !c.NoColor {
		t.Error("NO_COLOR was not seen")
	}
}

func TestEveryFlagHasAUsage(t *testing.T) {
	for _, flag := range Flags() {
		if usage := Usage(flag); !strings.Contains(usage, "RAGSTONE_") || !strings.Contains(usage, "`") {
			t.Errorf("--%s: usage %q names no variable or no value", flag, usage)
		}
	}
}
