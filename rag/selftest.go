package rag

import (
	"context"
	"fmt"
	"strings"

	"github.com/ragstone/ragstone/llm"
)

// SelfTest is what a model did when it was asked to write answers to a small
// built-in set of questions. It decides, once for each model, whether Write or
// Extract suits it: by measurement, never by the model's name.
type SelfTest struct {
	Version int    `json:"version"` // of the questions; a result of another version is void
	Asked   int    `json:"asked"`
	Right   int    `json:"right"` // answered, correct, and supported by the right passage
	Method  Method `json:"method"`
}

// SelfTestVersion changes with the questions, the prompt or the rule.
const SelfTestVersion = 1

// writesFrom is how many of the questions a model must get right to be let
// write.
const writesFrom = 6

// RunSelfTest asks the model the built-in questions. It stops as soon as the
// outcome is certain.
func RunSelfTest(ctx context.Context, generator llm.Generator) (SelfTest, error) {
	test := SelfTest{Version: SelfTestVersion, Method: MethodExtract}
	writer := &Write{Generator: generator, MaxTokens: 80}
	for _, q := range selfTestQuestions {
		if test.Right >= writesFrom || test.Right+len(selfTestQuestions)-test.Asked < writesFrom {
			break
		}
		answer, err := writer.Answer(ctx, q.results(), nil)
		if err != nil {
			return SelfTest{}, fmt.Errorf("test how the model answers: %w", err)
		}
		test.Asked++
		if q.isRight(answer) {
			test.Right++
		}
	}
	if test.Right >= writesFrom {
		test.Method = MethodWrite
	}
	return test, nil
}

// selfTestQuestion is a question, the passage that answers it, and two that
// do not. An empty answer means that none of them does.
type selfTestQuestion struct {
	question string
	answer   string
	passages [3]string // the first holds the answer, if one does
	shown    [3]int    // the order in which they are shown
}

func (q selfTestQuestion) results() *Results {
	r := &Results{Question: q.question}
	for rank, i := range q.shown {
		r.Hits = append(r.Hits, Hit{
			Passage: Passage{ID: i, Path: fmt.Sprintf("passage-%d", i), Text: q.passages[i], End: len(q.passages[i])},
			Rank:    rank + 1,
		})
	}
	return r
}

func (q selfTestQuestion) isRight(a *Answer) bool {
	if q.answer == "" {
		return !a.Answered
	}
	if !a.Answered || !strings.Contains(strings.ToLower(a.Text), q.answer) {
		return false
	}
	for _, c := range a.Citations {
		if c.Path == "passage-0" {
			return true
		}
	}
	return false
}

// selfTestQuestions are invented, so that no model has read the answers.
var selfTestQuestions = []selfTestQuestion{
	{"When did the Harrow lighthouse first shine?", "1874", [3]string{
		"The Harrow lighthouse first shone on 3 March 1874. Its lamp burned rape oil until paraffin replaced it.",
		"The keeper's cottage at Harrow was rebuilt in 1902 after a storm took the roof.",
		"Ships bound for Tolm pass Harrow Point with the light on their left hand.",
	}, [3]int{1, 0, 2}},
	{"How many days of leave does a new member of the crew get?", "24", [3]string{
		"A member of the crew who joins during the year gets 24 days of leave in the first twelve months.",
		"Leave that is not taken by the end of March lapses, unless the captain agrees otherwise in writing.",
		"The galley serves breakfast from six to eight and dinner at noon.",
	}, [3]int{0, 1, 2}},
	{"Who designed the tram stop on Linden Square?", "okafor", [3]string{
		"The tram stop on Linden Square, with its folded copper roof, was designed by the architect Ada Okafor.",
		"Linden Square was paved in grey granite by the firm of Peter Stahl.",
		"Trams to the harbour leave every ten minutes and do not run after midnight.",
	}, [3]int{2, 1, 0}},
	{"What colour is the cover of the third edition?", "", [3]string{
		"The third edition has 412 pages and a new chapter on bees.",
		"The first edition was bound in green cloth.",
		"Copies of the second edition are rare, because the warehouse burned down.",
	}, [3]int{0, 1, 2}},
	{"Which valve must be closed before the filter is changed?", "v7", [3]string{
		"Before changing the filter, close valve V7 and wait until the gauge shows zero.",
		"Valve V2 feeds the upper tank and stays open in summer.",
		"The filter lasts about four months; order a new one in time.",
	}, [3]int{1, 2, 0}},
	{"Why was the mill at Orsa moved?", "flood", [3]string{
		"The mill at Orsa was moved uphill in 1790 because the river flooded it every spring.",
		"The miller's family kept goats and sold cheese in the town.",
		"A second mill, at Venn, ground barley only.",
	}, [3]int{0, 2, 1}},
	{"What does the library charge for a lost card?", "two", [3]string{
		"A lost card is replaced for a fee of two euros, payable at the desk.",
		"Books may be renewed twice by telephone or on the web site.",
		"The reading room is closed on Mondays.",
	}, [3]int{2, 0, 1}},
	{"Who is the mayor of Tolm?", "", [3]string{
		"Tolm has a harbour, two schools and a covered market.",
		"The market in Tolm is held on Thursdays; fish is sold from five in the morning.",
		"The road from Tolm to Venn was widened last year.",
	}, [3]int{1, 0, 2}},
}
