package chat

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestHostileTemplatesAreErrors holds the limits: each template would take
// for ever, fill the memory or overflow the stack.
func TestHostileTemplatesAreErrors(t *testing.T) {
	const loop = "{% for i in range(100000) %}"
	const end = "{% endfor %}"
	grow := func(step string) string {
		return "{% set ns = namespace(x='ab', l=[1]) %}" + loop + step + end
	}
	for name, source := range map[string]string{
		"nested loops":         strings.Repeat(loop, 4) + "x" + strings.Repeat(end, 4),
		"empty nested loops":   strings.Repeat(loop, 4) + strings.Repeat(end, 4),
		"doubling a string":    grow("{% set ns.x = ns.x + ns.x %}"),
		"doubling with tilde":  grow("{% set ns.x = ns.x ~ ns.x %}"),
		"doubling a list":      grow("{% set ns.l = ns.l + ns.l %}"),
		"a list of itself":     grow("{% set ns.l = [ns.l, ns.l] %}"),
		"a deep list":          grow("{% set ns.l = [ns.l] %}"),
		"a dict of itself":     grow("{% set ns.l = {'a': ns.l, 'b': ns.l} %}"),
		"replacing":            grow("{% set ns.x = ns.x.replace('a', ns.x) %}"),
		"joining":              grow("{% set ns.x = ns.x.join([ns.x, ns.x, ns.x]) %}"),
		"formatting":           grow("{% set ns.x = '{0}{0}{0}'.format(ns.x) %}"),
		"percent":              grow("{% set ns.x = '%s%s%s' % (ns.x, ns.x, ns.x) %}"),
		"quoting":              grow("{% set ns.x = [ns.x, ns.x] | string %}"),
		"tojson":               grow("{% set ns.x = [ns.x, ns.x] | tojson %}"),
		"escaping":             grow("{% set ns.x = (ns.x ~ '&&') | e | string %}{% set ns.x = ns.x ~ ns.x %}"),
		"repeating":            "{{ 'x' * 9000000000000000000 }}",
		"repeating a list":     "{{ [1] * 9000000000000000000 }}",
		"padding":              "{{ 'x'.ljust(9000000000000000000) }}",
		"a wide indent":        "{{ 'x' | indent(9000000000000000000) }}",
		"a huge range":         "{{ range(9000000000000000000) }}",
		"a power":              "{{ 9 ** 9 ** 9 }}",
		"endless recursion":    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
		"mutual recursion":     "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}",
		"a recursive loop":     "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
		"deep parentheses":     "{{ " + strings.Repeat("(", 100000) + "1" + strings.Repeat(")", 100000) + " }}",
		"deep lists":           "{{ " + strings.Repeat("[", 100000) + strings.Repeat("]", 100000) + " }}",
		"deep not":             "{{ " + strings.Repeat("not ", 100000) + "1 }}",
		"deep signs":           "{{ " + strings.Repeat("-", 100000) + "1 }}",
		"many operators":       "{{ 1" + strings.Repeat(" + 1", 100000) + " }}",
		"many subscripts":      "{{ x" + strings.Repeat("[0]", 100000) + " }}",
		"many filters":         "{{ x" + strings.Repeat("|trim", 100000) + " }}",
		"many tests":           "{{ x" + strings.Repeat(" is defined", 100000) + " }}",
		"deep ifs":             strings.Repeat("{% if 1 %}", 100000) + strings.Repeat("{% endif %}", 100000),
		"many elifs":           "{% if 0 %}" + strings.Repeat("{% elif 0 %}", 100000) + "{% endif %}",
		"deep targets":         "{% set " + strings.Repeat("(", 100000) + "a" + strings.Repeat(")", 100000) + " = 1 %}",
		"deep conditions":      "{{ 1" + strings.Repeat(" if 1 else 1", 100000) + " }}",
		"sorting long strings": grow("{% set ns.x = ns.x ~ 'a' %}{% set ns.l = [ns.x, ns.x, ns.x, ns.x] | sort %}"),
		"comparing":            "{% set x = range(100000) | list %}" + loop + "{{ x == x }}" + end,
		"searching":            "{% set x = range(100000) | list %}" + loop + "{{ -1 in x }}" + end,
		"splitting":            "{% set x = 'a ' * 1000000 %}" + loop + "{% set y = x.split() %}" + end,
		"trimming":             "{% set x = ' ' * 1000000 %}" + loop + "{% set y = x | trim %}" + end,
		"measuring":            "{% set x = 'é' * 1000000 %}" + loop + "{{ x | length }}{{ x[5] }}" + end,
	} {
		start := time.Now()
		template, err := ParseTemplate(source)
		if err == nil {
			_, err = template.Render(Conversation{})
		}
		var failure *Error
		if !errors.As(err, &failure) || failure.Refused {
			t.Errorf("%s: got error %v, want an *Error", name, err)
		}
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// TestLongConversationsStayWithinLimits renders far more than a model reads.
func TestLongConversationsStayWithinLimits(t *testing.T) {
	template, err := ParseTemplate(templateSource(t, "Qwen-Qwen3-0.6B"))
	if err != nil {
		t.Fatal(err)
	}
	var c Conversation
	for range 5000 {
		c.Messages = append(c.Messages, Message{Role: "user", Content: strings.Repeat("word ", 200)}, Message{Role: "assistant", Content: "ok"})
	}
	text, err := template.Render(c)
	if err != nil || len(text) < 5_000_000 {
		t.Errorf("got %d bytes and error %v, want more than 5,000,000 bytes", len(text), err)
	}
}

func TestNoTemplate(t *testing.T) {
	if _, err := ParseTemplate(""); !errors.Is(err, ErrNoTemplate) {
		t.Errorf("got error %v, want ErrNoTemplate", err)
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	for source, want := range map[string]string{
		"a\nb {{ 1 +\n }}": "chat template, line 3: unexpected }}",
		"{% for i in [1] %}\n\n{{ i.x.y }}{% endfor %}": "chat template, line 3: x is undefined, so it has no attribute \"y\"",
		"{{ raise_exception('No system role') }}":       "the chat template refuses the conversation: No system role",
	} {
		template, err := ParseTemplate(source)
		if err == nil {
			_, err = template.Render(Conversation{})
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: got error %v, want %s", source, err, want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	var snippets []string
	readJSON(f, "testdata/snippets.json", &snippets)
	for _, s := range snippets {
		f.Add(s, "hello <|im_end|>")
	}
	f.Fuzz(func(t *testing.T, source, content string) {
		template, err := ParseTemplate(source)
		if err != nil {
			return
		}
		text, given, err := template.RenderSpans(Conversation{
			Messages:            []Message{{Role: "user", Content: content}},
			AddGenerationPrompt: true,
			Now:                 time.Unix(0, 0),
		})
		if err != nil {
			return
		}
		end := 0
		for _, g := range given {
			if g.Start < end || g.End <= g.Start || g.End > len(text) {
				t.Fatalf("%q renders %q with spans %v", source, text, given)
			}
			end = g.End
		}
	})
}
