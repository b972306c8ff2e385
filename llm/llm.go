package llm

import (
	"context"
	"encoding/json"
	"iter"
)

// Generator writes text. *Local, *HostedModel and *Upstream are Generators.
type Generator interface {
	// Generate runs one request and streams what it writes, piece by piece.
	// The stream ends after the last piece of every choice, or with one error
	// and nothing after it. Leaving the loop, or ending ctx, cancels the work.
	// The returned stream can be ranged over once.
	Generate(ctx context.Context, req Request) iter.Seq2[Delta, error]
}

// Embedder turns texts into vectors. *LocalEmbedder and *Upstream are
// Embedders.
type Embedder interface {
	// Embed returns one vector for each text, in order, all of one length.
	// The caller owns them.
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Scorer tells how likely given continuations are. *Local is a Scorer.
type Scorer interface {
	// Score returns one result for each item of the request, in order.
	Score(ctx context.Context, req ScoreRequest) ([]Scored, error)
}

// Message is one turn of a conversation.
type Message struct {
	Role       string // system, user, assistant, tool, or what else the model's template knows
	Content    string
	Name       string     // who speaks, where the template shows it; usually empty
	Reasoning  string     // what an assistant thought before it answered
	ToolCalls  []ToolCall // of an assistant
	ToolCallID string     // of a tool: the call this is the result of
}

// Tool is a function the model may call.
type Tool struct {
	Name        string
	Description string

	// Parameters is the JSON Schema of the arguments, an object; nil is an
	// object without properties.
	Parameters json.RawMessage

	// Strict promises arguments that satisfy the schema: one that cannot be
	// enforced is then refused. Else it is advice, kept to where possible.
	Strict bool
}

// ToolCall is a call of a function.
type ToolCall struct {
	ID        string
	Name      string
	Arguments string // JSON, unless the model broke off
}

// ToolMode says whether a model calls.
type ToolMode string

// The modes. Required is enforced by a grammar.
const (
	ToolsAuto     ToolMode = "" // as it likes
	ToolsNone     ToolMode = "none"
	ToolsRequired ToolMode = "required"
)

// NoTokens as Request.MaxTokens generates nothing: with Echo, the prompt's own
// log-probabilities are all that is wanted.
const NoTokens = -1

// Request asks a Generator for a continuation of exactly one of Messages,
// Prompt and Tokens. The zero value of every other field is the usual choice.
type Request struct {
	// Messages is a conversation, rendered with the model's own chat template.
	// The special tokens of the model's vocabulary are plain text inside a
	// Message: no content can forge a turn.
	Messages []Message

	// Prompt is text to go on with. Special tokens written in it are
	// recognised: its author wrote the whole prompt.
	Prompt string

	// Tokens is a prompt in the model's own tokens. Upstream refuses it.
	Tokens []int32

	// Tools are the functions the model may call, for Messages; ToolMode says
	// whether it does. ToolNames leaves only some of them to be called; empty
	// is all. MaxCalls bounds the calls of an answer; zero leaves it to the
	// model, of which one that has not been trained to call makes one.
	Tools     []Tool
	ToolMode  ToolMode
	ToolNames []string
	MaxCalls  int

	// MaxTokens bounds the tokens generated for each choice. Zero means as many
	// as the context holds, which is also the bound of any larger number;
	// either way the finish reason is then FinishLength.
	MaxTokens int

	// N is the number of choices wanted; zero means one. They share the
	// prompt's work.
	N int

	// BestOf generates so many choices and shows the N of them whose tokens
	// were likeliest in the mean, best first, once all have ended. Zero means
	// N. Upstream refuses it.
	BestOf int

	// Suffix is text that the completion of Prompt leads up to: the model fills
	// in what is between. A model whose vocabulary has no tokens for that (Fill
	// in the middle; Bavarian et al. 2022) refuses it, and so does Upstream for
	// anything but a Prompt.
	Suffix string

	// Tenant is whose request it is. Tenants that compete for a local model get
	// equal turns, however many requests each of them makes.
	Tenant string

	// Temperature divides the logits: 0 always takes the likeliest token.
	// Default 1.
	Temperature *float64

	// TopP keeps the fewest likeliest tokens whose probabilities reach it
	// (nucleus sampling). Default 1, all.
	TopP *float64

	// TopK keeps the K likeliest tokens; zero keeps all.
	TopK int

	// MinP keeps the tokens at least MinP times as likely as the likeliest.
	MinP float64

	// PresencePenalty is subtracted from the logit of every token generated so
	// far, FrequencyPenalty as many times as it was.
	PresencePenalty  float64
	FrequencyPenalty float64

	// RepetitionPenalty divides a positive logit and multiplies a negative one
	// of every token of the prompt and the text so far (Keskar et al. 2019,
	// section 4.1). Zero and one mean none.
	RepetitionPenalty float64

	// LogitBias is added to the logits of single tokens.
	LogitBias map[int32]float64

	// Seed makes sampling repeatable: the same request with the same seed on
	// the same class of machine gives the same text, whatever else runs.
	// Choice i of N is what a lone request would draw with the i-th stream of
	// the seed. Nil draws one.
	Seed *int64

	// Constraint is the language the completion has to be in, from its first
	// token on; nil is any text. With LogProbs, the probabilities stay those of
	// the model, as if there were no constraint. Upstream takes JSON only.
	Constraint *Constraint

	// Expected is text the completion may have much of, such as the file it is
	// to change. What comes true of it is generated faster; it changes nothing
	// else.
	Expected string

	// Stop ends a choice before the first occurrence of any of these strings,
	// which are not part of its text.
	Stop []string

	// EndTokens end a choice as the model's own end tokens do; IgnoreEnd
	// generates past both.
	EndTokens []int32
	IgnoreEnd bool

	// LogProbs asks for each token's log-probability in the model's own
	// distribution, before temperature, filters, penalties and bias;
	// TopLogProbs for that many likeliest tokens beside each.
	LogProbs    bool
	TopLogProbs int

	// Echo puts the prompt before the text of every choice, with its
	// log-probabilities if LogProbs is set. Not for Messages.
	Echo bool
}

// Why a choice ended.
const (
	FinishStop   = "stop"       // the model's end of text, or a stop string
	FinishLength = "length"     // MaxTokens or the end of the context
	FinishCalls  = "tool_calls" // as FinishStop, and there were calls
)

// Delta is a piece of one choice.
type Delta struct {
	Index        int            // which choice, from 0
	Text         string         // always whole characters; may be empty
	Reasoning    string         // what the model thinks before it answers
	Calls        []CallDelta    // begun or gone on with
	Tokens       []TokenLogProb // when asked for: the tokens whose text ends in this piece
	FinishReason string         // on a choice's last piece, else empty
	Usage        *Usage         // on the stream's last piece, else nil

	// PromptTokens is on the first piece of a local model's stream, for answers
	// that are not read to their end.
	PromptTokens int
}

// CallDelta is a piece of a call.
type CallDelta struct {
	Index     int    // which call of the choice, from 0
	ID        string // on a call's first piece, if the model gives its calls names; from an upstream always
	Name      string // on a call's first piece
	Arguments string // a further part of them

	// Broken takes the call back: what the model wrote is no JSON after all. It
	// is in the Text of the same Delta.
	Broken bool
}

// TokenLogProb is a token and how likely the model held it.
type TokenLogProb struct {
	ID      int32          // of the local model; -1 from an upstream
	Bytes   []byte         // its text, which may be part of a character
	LogProb float64        // natural logarithm; NaN for a prompt's first token
	Top     []TokenLogProb // the likeliest in its place, best first; their own Top is nil
}

// Usage counts the tokens of one request.
type Usage struct {
	PromptTokens     int // of the prompt, once whatever N
	CachedTokens     int // those of the prompt that were found already computed
	CompletionTokens int // generated, all choices together

	// GuessedTokens were run ahead of time because the text might go on with
	// them, and GuessedRight of them were right. Only a local model guesses.
	GuessedTokens int
	GuessedRight  int

	// Hurried is how many choices were held to a Constraint and, as their cap drew
	// near, kept from going on as they liked. They are valid and may be shorter
	// than the model wanted, whatever their finish reason is.
	Hurried int

	Timings Timings // zero from an upstream
}

// ScoreRequest asks for log-probabilities of texts the caller already has.
type ScoreRequest struct {
	Items []ScoreItem

	// MaxTokens scores only the first so many tokens of each continuation;
	// zero scores all. With 1 and no End nothing beyond the prompts is run.
	MaxTokens int

	// Tenant is whose request it is, as in Request.
	Tenant string

	// End is a text, such as a newline, whose log-probability is wanted in
	// place of whatever follows each scored token. Empty asks for none.
	End string
}

// ScoreItem is a continuation in its context. Items may share prompts, and
// prompts may share beginnings: what is common is computed once.
//
// Special tokens are not recognised in either text. The continuation is
// tokenised as the natural continuation of the prompt: both together, split
// where the prompt's own tokens end. Where that is not possible because a token
// would span the boundary (a prompt that ends in a newline, say, and a
// continuation that begins with one), each is tokenised alone.
type ScoreItem struct {
	Prompt       string
	Continuation string
}

// Scored is the result for one ScoreItem.
type Scored struct {
	Tokens []ScoredToken // of the continuation, in order
}

// ScoredToken is one token of a continuation.
type ScoredToken struct {
	Start, End int     // its bytes are Continuation[Start:End]
	LogProb    float64 // of the token, given all before it

	// EndLogProb is the log-probability that ScoreRequest.End comes right after
	// this token: of End's first token and of every token whose text begins
	// with End, so that a newline counts however many newlines the vocabulary
	// has joined in one token. Zero when no End was asked for.
	EndLogProb float64
}

// Completion is one choice of a finished stream.
type Completion struct {
	Text         string
	Reasoning    string
	Calls        []ToolCall
	Tokens       []TokenLogProb
	FinishReason string
}

// Collect reads a stream to its end and returns its choices in order.
func Collect(stream iter.Seq2[Delta, error]) ([]Completion, Usage, error) {
	var gathered []gathering
	var usage Usage
	for d, err := range stream {
		if err != nil {
			return nil, Usage{}, err
		}
		for len(gathered) <= d.Index {
			gathered = append(gathered, gathering{})
		}
		gathered[d.Index].add(d)
		if d.Usage != nil {
			usage = *d.Usage
		}
	}
	var choices []Completion
	for i := range gathered {
		choices = append(choices, gathered[i].completion())
	}
	return choices, usage, nil
}
