package model

import "github.com/ragstone/ragstone/internal/kernel"

// classifier is a cross-encoder's head: from the first row of a pair to its
// scores. It is small, and always float32.
type classifier struct {
	dense linear
	norm  layerNorm
	out   linear
}

// bertHead is the pooler that BERT is trained with, and a linear layer (Devlin
// et al. 2019, section 4.1).
func bertHead(c *EncoderConfig, h *classifier) []encoderSlot {
	return headSlots(c, h, "bert.pooler.dense", "", "classifier")
}

// robertaHead is the same under other names.
func robertaHead(c *EncoderConfig, h *classifier) []encoderSlot {
	return headSlots(c, h, "classifier.dense", "", "classifier.out_proj")
}

// modernHead normalises between the two layers.
func modernHead(c *EncoderConfig, h *classifier) []encoderSlot {
	return headSlots(c, h, "head.dense", "head.norm", "classifier")
}

func headSlots(c *EncoderConfig, h *classifier, dense, norm, out string) []encoderSlot {
	h.dense.exact, h.out.exact = true, true
	var m slotMaker
	m.linear(&h.dense, c.Width, []int{c.Width}, c.biases.head, dense)
	m.norm(&h.norm, norm, c.Width, c.biases.norm)
	m.linear(&h.out, c.Width, []int{c.Labels}, true, out)
	return m.slots
}

// scores returns the logits of a sequence whose rows are in x.
func (e *Encoder) scores(x []float32, stride int, s rowSpan) []float32 {
	row := make([]float32, e.config.Width)
	if e.config.classifyMean {
		meanRow(row, x, stride, s)
	} else {
		copy(row, x[s.first*stride:])
	}
	row = e.head.dense.apply(row)
	e.config.classifyBy.apply(row)
	if e.head.norm.gain != nil {
		e.head.norm.apply(row, &e.config)
	}
	return e.head.out.apply(row)
}

// apply returns the layer's result for one row.
func (l *linear) apply(row []float32) []float32 {
	out := make([]float32, l.panels.Count()*kernel.PanelWidth)
	l.panels.Multiply(out, len(out), row, len(row), 1, 0, l.panels.Count())
	return out[:l.panels.Columns()]
}
