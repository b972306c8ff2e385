package api

import (
	"net/http"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/inference"
)

func (a *api) createChatCompletion(c *call) error {
	var request openai.ChatCompletionRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	ctx, stop := c.admitting(request.Stream)
	defer stop()
	answer, err := a.Inference.Chat(ctx, c.caller, &request)
	if err != nil {
		return err
	}
	defer c.settle(answer)
	c.head(answer.Head)
	if request.Stream {
		return stream(c, answer.Chunks())
	}
	completion, err := answer.Completion()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, completion)
}

func (a *api) createCompletion(c *call) error {
	var request openai.CompletionRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	ctx, stop := c.admitting(request.Stream)
	defer stop()
	answer, err := a.Inference.Complete(ctx, c.caller, &request)
	if err != nil {
		return err
	}
	defer c.settle(answer)
	c.head(answer.Head)
	if request.Stream {
		return stream(c, answer.Events())
	}
	completion, err := answer.Completion()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, completion)
}

func (a *api) createEmbedding(c *call) error {
	var request openai.EmbeddingRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	answer, err := a.Inference.Embed(c.Context(), c.caller, &request)
	if err != nil {
		return err
	}
	c.head(answer.Head)
	c.usage.PromptTokens = answer.List.Usage.PromptTokens
	return c.reply(http.StatusOK, answer.List)
}

func (a *api) createModeration(c *call) error {
	var request openai.ModerationRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	answer, err := a.Inference.Moderate(c.Context(), c.caller, &request)
	if err != nil {
		return err
	}
	c.head(answer.Head)
	return c.reply(http.StatusOK, answer.Body)
}

// settle ends an answer, whatever became of it, and notes what it took.
func (c *call) settle(answer interface {
	Close() error
	Usage() inference.Usage
}) {
	if err := answer.Close(); err != nil {
		c.api.Log.Error("settle", "request", c.id, "error", err)
	}
	c.usage = answer.Usage()
}
