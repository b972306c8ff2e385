package openai

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ForeignEmbeddings are vectors that another server made.
type ForeignEmbeddings struct {
	Usage EmbeddingUsage // zero where it does not tell

	object Object
}

// ReadForeignEmbeddings reads an answer of POST /embeddings for so many texts.
func ReadForeignEmbeddings(data []byte, texts int) (*ForeignEmbeddings, error) {
	object, err := ParseObject(data)
	if err != nil {
		return nil, err
	}
	if n := len(parseArray(object.Get("data"))); n != texts {
		return nil, fmt.Errorf("it has %d vectors for %d texts", n, texts)
	}
	answer := &ForeignEmbeddings{object: object}
	if raw := object.Get("usage"); raw != nil {
		err = json.Unmarshal(raw, &answer.Usage)
	}
	if !plausible(answer.Usage.PromptTokens) {
		answer.Usage = EmbeddingUsage{}
	}
	return answer, err
}

// List is the answer in our shape: under the name that was asked for, with the
// tokens of its usage.
func (a *ForeignEmbeddings) List(model string, tokens int) *EmbeddingList {
	usage, _ := json.Marshal(EmbeddingUsage{tokens, tokens}) // numbers only
	a.object.set("object", Text("list"))
	a.object.set("model", Text(model))
	a.object.set("usage", usage)
	return &EmbeddingList{Model: model, Usage: EmbeddingUsage{tokens, tokens}, Relayed: a.object.appendJSON(nil)}
}

// RelayModeration puts another server's answer of POST /moderations under the
// name that was asked for.
func RelayModeration(data []byte, model string) (*Moderation, error) {
	object, err := ParseObject(data)
	if err != nil {
		return nil, err
	}
	if object.Get("results") == nil {
		return nil, errors.New("it has no results")
	}
	object.set("model", Text(model))
	return &Moderation{object.appendJSON(nil)}, nil
}
