package rag

import (
	"bytes"
	"encoding/json"
	"time"
)

// The JSON of a reply is a contract with programs that read it, so it has types
// of its own: a field of Answer can be renamed without a change for them.

type replyJSON struct {
	Question   string          `json:"question"`
	Answer     string          `json:"answer"`
	Answered   bool            `json:"answered"`
	Method     Method          `json:"method"`
	Model      *string         `json:"model"`
	Confidence float64         `json:"confidence"`
	Statements []statementJSON `json:"statements,omitempty"`
	Citations  []citationJSON  `json:"citations"`
	Passages   []passageJSON   `json:"passages"`
	Timings    timingsJSON     `json:"timings"`
}

type statementJSON struct {
	Text      string `json:"text"`
	Citations []int  `json:"citations"`
	Supported bool   `json:"supported"`
}

type citationJSON struct {
	N     int    `json:"n"`
	Path  string `json:"path"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	placeJSON
	Heading string   `json:"heading"`
	Columns []string `json:"columns,omitempty"`
	Quote   string   `json:"quote"`
	Mark    *[2]int  `json:"mark"`
	Score   float64  `json:"score"`
}

type passageJSON struct {
	Rank  int     `json:"rank"`
	Score float64 `json:"score"`
	Path  string  `json:"path"`
	Start int     `json:"start"`
	End   int     `json:"end"`
	placeJSON
	Heading string        `json:"heading"`
	Text    string        `json:"text"`
	Keyword *standingJSON `json:"keyword"`
	Vector  *standingJSON `json:"vector"`
}

type placeJSON struct {
	Line      *int `json:"line"`
	Page      *int `json:"page"`
	Paragraph *int `json:"paragraph"`
}

type standingJSON struct {
	Rank  int     `json:"rank"`
	Score float64 `json:"score"`
}

type timingsJSON struct {
	SearchMS float64 `json:"search_ms"`
	AnswerMS float64 `json:"answer_ms"`
}

// MarshalJSON gives the reply in one object. Numbers that do not apply are
// null: a line of a format without lines, the standing with a retriever that
// did not have the passage.
func (r *Reply) MarshalJSON() ([]byte, error) {
	a := r.Answer
	out := replyJSON{
		Question:   a.Question,
		Answer:     a.Text,
		Answered:   a.Answered,
		Method:     a.Method,
		Confidence: a.Confidence,
		Citations:  []citationJSON{},
		Passages:   r.Results.passagesJSON(),
		Timings:    timingsJSON{milliseconds(r.Timings.Search), milliseconds(r.Timings.Answer)},
	}
	if a.Model != "" {
		out.Model = &a.Model
	}
	for _, s := range a.Statements {
		out.Statements = append(out.Statements, statementJSON{s.Text, append([]int{}, s.Cites...), s.Supported})
	}
	for _, c := range a.Citations {
		j := citationJSON{
			N: c.N, Path: c.Path, Start: c.Start, End: c.End, placeJSON: c.Place.json(),
			Heading: HeadingPath(c.Heading), Columns: c.Columns, Quote: c.Quote, Score: c.Score,
		}
		if c.Mark != [2]int{} {
			j.Mark = &c.Mark
		}
		out.Citations = append(out.Citations, j)
	}
	return marshalJSON(out)
}

// marshalJSON leaves <, > and & as they are: json.Marshal escapes them for web
// pages, which makes Markdown and code hard to read.
func marshalJSON(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return b.Bytes(), err
}

// MarshalJSON gives the question and its passages in rank order, as
// `ragstone search --json` prints them.
func (r *Results) MarshalJSON() ([]byte, error) {
	return marshalJSON(struct {
		Question string        `json:"question"`
		Passages []passageJSON `json:"passages"`
	}{r.Question, r.passagesJSON()})
}

func (r *Results) passagesJSON() []passageJSON {
	passages := []passageJSON{}
	for _, h := range r.Hits {
		passages = append(passages, passageJSON{
			Rank: h.Rank, Score: h.Score, Path: h.Path, Start: h.Start, End: h.End,
			placeJSON: h.Place.json(), Heading: HeadingPath(h.Headings), Text: h.Text,
			Keyword: h.Keyword.json(), Vector: h.Vector.json(),
		})
	}
	return passages
}

func (s Standing) json() *standingJSON {
	if s.Rank == 0 && s.Score == 0 {
		return nil
	}
	return &standingJSON{s.Rank, s.Score}
}

func (p Place) json() placeJSON {
	return placeJSON{orNull(p.Line), orNull(p.Page), orNull(p.Paragraph)}
}

func orNull(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
