package payload_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ragstone/ragstone/vector/internal/payload"
)

func encoded(t *testing.T, v any) payload.Value {
	t.Helper()
	data, err := payload.Encode(nil, v)
	if err != nil {
		t.Fatalf("encode %v: %v", v, err)
	}
	return data
}

func TestValuesComeBackAsTheyWere(t *testing.T) {
	for _, want := range []any{
		nil, true, false, int64(0), int64(-1), int64(math.MinInt64), uint64(math.MaxUint64),
		0.5, -1e300, "", "grüße", []any{}, []any{nil, int64(1), []any{"x"}},
		map[string]any{}, map[string]any{"a": int64(1), "b": map[string]any{"c": []any{true}}},
	} {
		got, err := encoded(t, want).Decode()
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%v: error %v, difference (-want +got):\n%s", want, err, diff)
		}
	}
}

func TestGoValuesBecomeJSON(t *testing.T) {
	type city struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}
	for _, c := range []struct{ in, want any }{
		{7, int64(7)}, {int32(7), int64(7)}, {uint64(7), int64(7)}, {float32(0.5), 0.5},
		{json.Number("12"), int64(12)}, {json.Number("1.5"), 1.5}, {json.Number("18446744073709551615"), uint64(math.MaxUint64)},
		{time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), "2026-11-24T12:00:00Z"},
		{city{"Bonn", []string{"rhine"}}, map[string]any{"name": "Bonn", "tags": []any{"rhine"}}},
		{"broken \xff", "broken \uFFFD"},
	} {
		got, err := encoded(t, c.in).Decode()
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%v: error %v, difference (-want +got):\n%s", c.in, err, diff)
		}
	}
}

func TestWhatJSONCannotHoldIsRefused(t *testing.T) {
	deep := any("bottom")
	for range payload.MaxDepth + 2 {
		deep = []any{deep}
	}
	for _, v := range []any{math.NaN(), math.Inf(1), map[string]any{"x": math.NaN()}, deep, make(chan int), json.Number("many")} {
		if got, err := payload.Encode(nil, v); err == nil {
			t.Errorf("%T: got %x, want an error", v, got)
		}
	}
}

func TestEqualValuesHaveEqualBytes(t *testing.T) {
	a := encoded(t, map[string]any{"x": 1, "y": 2, "z": []any{"s"}})
	b := encoded(t, map[string]any{"z": []any{"s"}, "y": int64(2), "x": json.Number("1")})
	if string(a) != string(b) {
		t.Errorf("got %x and %x", a, b)
	}
}

func TestPathsLeadThroughArrays(t *testing.T) {
	v := encoded(t, map[string]any{
		"name":   "Ada",
		"visits": []any{map[string]any{"city": "Rome", "years": []any{1, 2}}, map[string]any{"city": "Oslo"}, "?"},
		"a.b":    map[string]any{"c": true},
		"none":   nil,
	})
	for _, c := range []struct {
		path         string
		find, leaves string
	}{
		{"name", `"Ada"`, `"Ada"`},
		{"visits.city", `"Rome" "Oslo"`, `"Rome" "Oslo"`},
		{"visits[].city", `"Rome" "Oslo"`, `"Rome" "Oslo"`},
		{"visits.years", `[1,2]`, `1 2`},
		{`"a.b".c`, `true`, `true`},
		{"none", `null`, `null`},
		{"name.city", ``, ``},
		{"nobody", ``, ``},
	} {
		path, err := payload.ParsePath(c.path)
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if got := list(v.Find, path); got != c.find {
			t.Errorf("Find %s: got %s, want %s", c.path, got, c.find)
		}
		if got := list(v.Leaves, path); got != c.leaves {
			t.Errorf("Leaves %s: got %s, want %s", c.path, got, c.leaves)
		}
	}
	for _, wrong := range []string{"", ".a", "a.", "a..b", `"a`, `"a"b`} {
		if path, err := payload.ParsePath(wrong); err == nil {
			t.Errorf("path %q: got %q, want an error", wrong, path)
		}
	}
}

func list(walk func(payload.Path, func(payload.Value) bool), path payload.Path) string {
	var found []string
	walk(path, func(v payload.Value) bool {
		decoded, _ := v.Decode()
		text, _ := json.Marshal(decoded)
		found = append(found, string(text))
		return true
	})
	return strings.Join(found, " ")
}

func TestNumbersCompareExactly(t *testing.T) {
	number := func(v any) payload.Number {
		n, ok := encoded(t, v).Number()
		if !ok {
			t.Fatalf("%v is no number", v)
		}
		return n
	}
	big := int64(1<<53) + 1
	for _, c := range []struct {
		a, b any
		want int
	}{{1, 2, -1}, {2, 2.0, 0}, {2, 1.5, 1}, {big, big - 1, 1}, {uint64(math.MaxUint64), math.MaxInt64, 1}, {-1, 0.5, -1}} {
		if got := number(c.a).Compare(number(c.b)); got != c.want {
			t.Errorf("compare %v with %v: got %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func FuzzValue(f *testing.F) {
	for _, text := range []string{`null`, `{"a":[1,2.5,"x",{"b":null}],"c":true}`, `[[[]]]`, `18446744073709551615`} {
		var v any
		json.Unmarshal([]byte(text), &v)
		data, _ := payload.Encode(nil, v)
		f.Add(data)
	}
	path, _ := payload.ParsePath("a.b")
	f.Fuzz(func(t *testing.T, data []byte) {
		v := payload.Value(data)
		v.Leaves(path, func(leaf payload.Value) bool {
			leaf.Number()
			leaf.Text()
			return true
		})
		decoded, err := v.Decode()
		if err != nil {
			return
		}
		again, err := payload.Encode(nil, decoded)
		if err != nil {
			return // strings that are not UTF-8 have no second encoding
		}
		back, err := payload.Value(again).Decode()
		if err != nil {
			t.Fatalf("%x decodes to %v, which encodes to %x: %v", data, decoded, again, err)
		}
		if diff := cmp.Diff(validUTF8(decoded), back); diff != "" {
			t.Fatalf("%x: difference after a second round (-first +second):\n%s", data, diff)
		}
	})
}

// validUTF8 replaces what Encode replaces.
func validUTF8(v any) any {
	switch v := v.(type) {
	case string:
		return strings.ToValidUTF8(v, "\uFFFD")
	case []any:
		for i := range v {
			v[i] = validUTF8(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = validUTF8(v[k])
		}
	}
	return v
}
