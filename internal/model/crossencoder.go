package model

import "context"

// CrossEncoder scores pairs of texts: an encoder that reads both together, with
// a classification head on its first row. It is safe for concurrent use.
type CrossEncoder struct{ e *Encoder }

// InspectCrossEncoder is InspectEncoder for a cross-encoder's folder.
func InspectCrossEncoder(dir string, o EncoderOptions) (EncoderInfo, error) {
	return inspect(dir, scorePairs, o)
}

// LoadCrossEncoder reads a cross-encoder from a folder in Hugging Face's layout:
// config.json, whose first architecture ends in ForSequenceClassification, and
// model.safetensors.
func LoadCrossEncoder(dir string, o EncoderOptions) (*CrossEncoder, error) {
	e, err := loadEncoder(dir, scorePairs, o)
	if err != nil {
		return nil, err
	}
	return &CrossEncoder{e}, nil
}

// Score returns the logits of each pair, as many as the model has labels. A pair
// is the tokens of both texts with those the model wants around them, and the
// types that tell the texts apart. What is said of Encoder.Encode about bits,
// errors and contexts holds here.
func (c *CrossEncoder) Score(ctx context.Context, pairs []Sequence) ([][]float32, error) {
	return c.e.encode(ctx, pairs)
}

// Config returns the model's shape.
func (c *CrossEncoder) Config() EncoderConfig { return c.e.config }

// Bytes returns the memory that the weights take.
func (c *CrossEncoder) Bytes() int64 { return c.e.bytes }
