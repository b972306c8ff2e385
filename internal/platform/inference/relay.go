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
func (s *Service) relay(ctx context.Context, caller account.Caller, r *route, kind, id string, bound Usage, prompt func() int, request *upstream.Request) (*relayed, error) {
	relay, err := s.admitRelay(ctx, caller, r, kind, id, bound, operationOf[request.Path])
	if err != nil {
		return nil, err
	}
	relay.estimate = func() Usage {
		return Usage{min(prompt(), bound.PromptTokens), min(relay.said.tokens(), bound.CompletionTokens)}
	}
	tellAdmitted(ctx, relay.Head)
	return relay, relay.send(ctx, s.upstreams, request)
}

// admitRelay is a relay whose request has been let in.
func (s *Service) admitRelay(ctx context.Context, caller account.Caller, r *route, kind, id string, bound Usage, op operation) (*relayed, error) {
	work := beginWork(ctx, op, r)
	admitted, err := s.admit(work.ctx, caller, r, kind, id, bound)
	if err != nil {
		work.end(err)
		return nil, err
	}
	work.admitted(id)
	return &relayed{
		running: &running{Head: admitted.head(r), work: work, admission: admitted, stop: func() {}},
		said:    tally{vocabulary: vocabularyOf(r.model.Name)},
	}, nil
}

// send sends the request on and waits for the first byte. Without an answer,
// what was admitted is given back.
func (r *relayed) send(ctx context.Context, to *upstream.Pool, request *upstream.Request) (err error) {
	defer func() {
		if r.answer == nil { // also when it panics
			failSpan(r.work.span, err)
			err = errors.Join(err, r.Close())
		}
	}()
	if request.Read == nil && !request.Stream {
		request.Read = r.readWhole
	}
	answer, err := to.Send(r.work.ctx, request)
	if err != nil {
		// An answer in one piece whose caller has left may be under way: its
		// prompt has been read.
		r.begun = ctx.Err() != nil && !request.Stream
		return err
	}
	r.answer, r.begun = answer, true
	r.admission.bill.RunsAt(answer.Server)
	r.stop = func() { answer.Close() }
	r.Head.Model, r.Head.Upstream, r.Head.UpstreamLimits = answer.Model, answer.Server, answer.Limits()
	return nil
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

// end counts what a stream took whose events have all come, or says what is
// wrong with it.
func (r *relayed) end() error {
	if !r.begunChoices {
		r.begun = false // nobody pays for nothing
		return r.answer.Nonsense(errNoChoices)
	}
	if !r.answer.Finished() && r.unfinished > 0 {
		return r.answer.Broken("its stream broke off before the answer was complete")
	}
	r.count()
	return nil
}

// next is the next event, of which what the answer is charged by has been kept.
// It is io.EOF where there are no more.
func (r *relayed) next() (*openai.ForeignAnswer, error) {
	data, err := r.answer.Next()
	if err != nil {
		return nil, err
	}
	part, err := openai.ReadForeign(data)
	if err != nil {
		return nil, r.answer.Nonsense(err)
	}
	r.take(part)
	return part, nil
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
// asked for. A stream that breaks off ends with an error. The frames from here
// down are small, since every open stream waits in them: a stack of 8 kB holds all
// that relaying needs, and twice that follows.
func (r *relayed) stream(id openai.Identity, withUsage bool, keep func(*openai.ForeignAnswer), settle func() error) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for {
			part, err := r.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				yield(nil, err)
				return
			}
			keep(part)
			if event := part.Chunk(id, withUsage); event != nil && !yield(event, nil) {
				return
			}
		}
		if err := r.end(); err != nil {
			yield(nil, err)
			return
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
