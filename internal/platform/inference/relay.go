package inference

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/account"
	"github.com/ragstone/ragstone/internal/platform/upstream"
	"github.com/ragstone/ragstone/llm"
)

// relayed is a completion that an upstream writes. It passes as it comes, in
// our shape: what this server reads of it is what it needs for charging and
// storing.
type relayed struct {
	*running
	answer *upstream.Answer

	whole      *openai.ForeignAnswer // of a completion that is no stream
	last       *openai.ForeignAnswer // the one that told the usage, else the latest
	usage      *openai.Usage         // nil until it is told
	said       tally                 // the text so far
	unfinished int                   // choices whose end has not come

	begunChoices bool // something of a choice has come
}

// relay admits a request by its upper bound and sends it on. It returns once
// the first byte of an answer is there. The caller closes it. Where the
// upstream tells no usage, prompt counts the request's tokens.
func (s *Service) relay(ctx context.Context, caller account.Caller, r route, kind, id string, bound Usage, prompt func() int, request *upstream.Request) (_ *relayed, err error) {
	work := beginWork(ctx, operationOf[request.Path], r)
	admitted, err := s.admit(work.ctx, caller, r, kind, id, bound)
	if err != nil {
		work.end(err)
		return nil, err
	}
	work.admitted(id)
	relay := &relayed{
		running: &running{Head: admitted.head(r), work: work, admission: admitted, stop: func() {}},
		said:    tally{vocabulary: vocabularyOf(r.model.Name)},
	}
	tellAdmitted(ctx, relay.Head)
	relay.estimate = func() Usage {
		return Usage{min(prompt(), bound.PromptTokens), min(relay.said.tokens(), bound.CompletionTokens)}
	}
	defer func() {
		if relay.answer == nil { // also when it panics
			failSpan(work.span, err)
			err = errors.Join(err, relay.Close())
		}
	}()
	if request.Read == nil && !request.Stream {
		request.Read = relay.readWhole
	}
	answer, err := s.upstreams.Send(work.ctx, request)
	if err != nil {
		// An answer in one piece whose caller has left may be under way: its
		// prompt has been read.
		relay.begun = ctx.Err() != nil && !request.Stream
		return nil, err
	}
	relay.answer, relay.begun = answer, true
	relay.admission.bill.RunsAt(answer.Server)
	relay.stop = func() { answer.Close() }
	relay.Head.Model, relay.Head.Upstream, relay.Head.UpstreamLimits = answer.Model, answer.Server, answer.Limits()
	return relay, nil
}

// readWhole reads a completion that is no stream.
func (r *relayed) readWhole(data []byte) (err error) {
	r.whole, err = openai.ReadForeign(data)
	if err == nil && len(r.whole.Pieces) == 0 {
		err = errNoChoices
	}
	return err
}

var errNoChoices = errors.New("its list of choices is empty")

// take keeps what the answer is charged by of a part of it.
func (r *relayed) take(part *openai.ForeignAnswer) {
	for _, p := range part.Pieces {
		r.said.add(p.Reasoning, p.Content, p.Refusal)
		for _, call := range p.ToolCalls {
			if call.Function != nil {
				r.said.add(call.Function.Name, call.Function.Arguments)
			}
			if call.Custom != nil {
				r.said.add(call.Custom.Name, call.Custom.Input)
			}
		}
		if p.FunctionCall != nil {
			r.said.add(p.FunctionCall.Name, p.FunctionCall.Arguments)
		}
		if p.FinishReason != "" {
			r.unfinished--
		}
	}
	if part.Usage != nil {
		r.usage = part.Usage
	}
	if part.Usage != nil || r.usage == nil {
		r.last = part
	}
	r.begunChoices = r.begunChoices || len(part.Pieces) > 0
}

// parts are the events of a streamed answer, up to its end. A stream that
// breaks off ends with an error.
func (r *relayed) parts() iter.Seq2[*openai.ForeignAnswer, error] {
	return func(yield func(*openai.ForeignAnswer, error) bool) {
		for {
			data, err := r.answer.Next()
			if err == io.EOF {
				break
			}
			var part *openai.ForeignAnswer
			if err == nil {
				if part, err = openai.ReadForeign(data); err != nil {
					err = r.answer.Nonsense(err)
				}
			}
			if err == nil {
				r.take(part)
			}
			if !yield(part, err) || err != nil {
				return
			}
		}
		if !r.begunChoices {
			r.begun = false // nobody pays for nothing
			yield(nil, r.answer.Nonsense(errNoChoices))
			return
		}
		if !r.answer.Finished() && r.unfinished > 0 {
			yield(nil, r.answer.Broken("its stream broke off before the answer was complete"))
			return
		}
		r.count()
	}
}

// count makes the usage exact, at the answer's end: as told, else as counted.
func (r *relayed) count() {
	r.isExact = true
	if u := r.usage; u != nil {
		r.exact = llm.Usage{PromptTokens: u.PromptTokens, CachedTokens: max(u.PromptTokensDetails.CachedTokens, 0), CompletionTokens: u.CompletionTokens}
		return
	}
	counted := r.estimate()
	r.exact = llm.Usage{PromptTokens: counted.PromptTokens, CompletionTokens: counted.CompletionTokens}
}

// stream is the answer's events in our shape; whole is told each before it is
// sent, and settles once the last has come. The usage comes last, if it was
// asked for.
func (r *relayed) stream(id openai.Identity, withUsage bool, keep func(*openai.ForeignAnswer), settle func() error) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for part, err := range r.parts() {
			if err != nil {
				yield(nil, err)
				return
			}
			keep(part)
			if event := part.Chunk(id, withUsage); event != nil && !yield(event, nil) {
				return
			}
		}
		if err := settle(); err != nil {
			yield(nil, err)
			return
		}
		if withUsage {
			yield(r.last.UsageChunk(id, wireUsage(r.exact)), nil)
		}
	}
}

// inOurShape is the answer to a request that asked for no stream.
func (r *relayed) inOurShape(id openai.Identity) []byte {
	r.take(r.whole)
	r.count()
	return r.whole.Whole(id, wireUsage(r.exact))
}

// A request that another server answers may hold what is not text. These bound
// the tokens it can take.
const (
	mostOfImage   = 50_000  // in high detail, of the model that counts it dearest
	mostOfContext = 1 << 20 // no model reads more: what a file or a search may add
)

// relayedChatBound is the most tokens a chat request can take elsewhere, whose
// answer has at most so many.
func relayedChatBound(r *openai.ChatCompletionRequest, most int) Usage {
	request := llm.Request{MaxTokens: most, N: int(valueOr(r.N, 1))}
	media := 0
	for _, m := range r.Messages {
		request.Messages = append(request.Messages, modelMessage(m))
		for _, part := range m.Media {
			switch part.Kind {
			case "image_url":
				media += mostOfImage
			case "input_audio":
				media += part.Bytes
			default:
				media += mostOfContext
			}
		}
		if m.HasAudio {
			media += mostOfContext
		}
	}
	for _, param := range r.Unserved {
		if param == "web_search_options" {
			media += mostOfContext
		}
	}
	setTools(&request, r)
	bound := chatBound(request, formatBytes(r.ResponseFormat), 0)
	bound.PromptTokens = min(bound.PromptTokens+media, max(bound.PromptTokens, mostOfContext))
	bound.CompletionTokens += len(r.Prediction) * request.N
	return bound
}

// relayable refuses what an upstream might do and this server cannot account
// for.
func relayable(r *openai.ChatCompletionRequest) error {
	if tier := r.ServiceTier; tier != nil && (*tier == "priority" || *tier == "scale") {
		return openai.Refuse("service_tier", openai.CodeUnsupportedValue, "Unsupported value: 'service_tier' is '%s', whose price this server does not know. Supported values are: 'auto', 'default', and 'flex'.", *tier)
	}
	for i, m := range r.Messages {
		for _, part := range m.Media {
			if part.FileID {
				return openai.Refuse(fmt.Sprintf("messages[%d].content", i), openai.CodeUnsupportedValue, "Unsupported content: a file of this server is not known where the model runs. Send it as 'file_data'.")
			}
		}
	}
	return nil
}
