package llm

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTextStream(t *testing.T) {
	tests := []struct {
		name   string
		stops  []string
		tokens []string
		want   []string // shown after each token, then at the end
		stop   bool
	}{
		{"plain", nil, []string{"Hel", "lo"}, []string{"Hel", "lo", ""}, false},
		{"stop in one token", []string{"END"}, []string{"a", "bENDc"}, []string{"a", "b"}, true},
		{"stop over three tokens", []string{"\n\nQ:"}, []string{"yes\n", "\n", "Q: x"}, []string{"yes", "", ""}, true},
		{"almost a stop", []string{"\n\nQ:"}, []string{"yes\n", "\n", "no"}, []string{"yes", "", "\n\nno", ""}, false},
		{"held to the end", []string{"STOP"}, []string{"xST"}, []string{"x", "ST"}, false},
		{"a stop within a beginning", []string{"aab"}, []string{"a", "a", "a", "b"}, []string{"", "", "a", ""}, true},
		{"the one that is whole first", []string{"abcd", "bc"}, []string{"abcd"}, []string{"a"}, true},
		{"stop at once", []string{"a"}, []string{"a"}, []string{""}, true},
		{"a character in pieces", nil, []string{"\xe2", "\x82", "\xac!"}, []string{"", "", "€!", ""}, false},
		{"half a character at the end", nil, []string{"a\xe2\x82"}, []string{"a", "\uFFFD\uFFFD"}, false},
		{"half a character, then another", nil, []string{"\xe2\x82", "A"}, []string{"", "\uFFFD\uFFFDA", ""}, false},
		{"stray bytes", nil, []string{"\x80\xff", "b"}, []string{"\uFFFD\uFFFD", "b", ""}, false},
		{"stop in half a character", []string{"\xac"}, []string{"\xe2\x82", "\xac"}, []string{"", "\uFFFD\uFFFD"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stream := newTextStream(tt.stops)
			var got []string
			for _, token := range tt.tokens {
				got = append(got, stream.write([]byte(token)))
			}
			if !stream.stopped {
				got = append(got, stream.flush())
			}
			if strings.Join(got, "|") != strings.Join(tt.want, "|") || stream.stopped != tt.stop {
				t.Errorf("tokens %q, stops %q: got %q, stopped %v; want %q, %v",
					tt.tokens, tt.stops, got, stream.stopped, tt.want, tt.stop)
			}
		})
	}
}

// However text is cut into tokens, the same is shown.
func TestTextStreamDoesNotDependOnCuts(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	alphabet := []string{"a", "b", "ab", "€", "\xe2", "\x82", "é", "\n"}
	for range 3000 {
		var text strings.Builder
		for range rng.IntN(20) {
			text.WriteString(alphabet[rng.IntN(len(alphabet))])
		}
		stops := []string{"abab", "ba", "\nb"}[:rng.IntN(4)]
		want := shownAtOnce(text.String(), stops)

		stream, got := newTextStream(stops), ""
		for rest := text.String(); rest != "" && !stream.stopped; {
			n := 1 + rng.IntN(len(rest))
			piece := stream.write([]byte(rest[:n]))
			if !utf8.ValidString(piece) {
				t.Fatalf("seed %d: text %q shows half a character: %q", seed, text.String(), piece)
			}
			got, rest = got+piece, rest[n:]
		}
		got += stream.flush()
		if got != want {
			t.Fatalf("seed %d: text %q, stops %q: got %q, want %q", seed, text.String(), stops, got, want)
		}
	}
}

// shownAtOnce is the definition: the stop string that is whole first ends the
// text.
func shownAtOnce(text string, stops []string) string {
	for end := 1; end <= len(text); end++ {
		longest := 0
		for _, stop := range stops {
			if strings.HasSuffix(text[:end], stop) {
				longest = max(longest, len(stop))
			}
		}
		if longest > 0 {
			return string([]rune(text[:end-longest]))
		}
	}
	return string([]rune(text))
}
