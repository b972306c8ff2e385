package llm

import (
	"context"

	"github.com/ragstone/ragstone/internal/model"
)

// modelDecoder is a model.Decoder as the engine sees it.
type modelDecoder struct{ *model.Decoder }

func (d *modelDecoder) Context() int    { return d.Config().Context }
func (d *modelDecoder) Vocabulary() int { return d.Config().Vocab }
func (d *modelDecoder) NewCache() cache { return modelCache{d.Decoder.NewCache()} }

func (d *modelDecoder) Forward(ctx context.Context, batch []*input) error {
	inputs := make([]*model.Input, len(batch))
	for i, in := range batch {
		inputs[i] = &model.Input{
			Cache:  in.cache.(modelCache).Cache,
			Tokens: in.tokens,
			Rows:   in.rows,
			Logits: in.logits,
		}
	}
	return d.Decoder.Forward(ctx, inputs)
}

// modelCache is a model.Cache as the engine sees it.
type modelCache struct{ *model.Cache }

func (c modelCache) Fork() cache { return modelCache{c.Cache.Fork()} }
