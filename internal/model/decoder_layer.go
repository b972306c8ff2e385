package model

import "github.com/ragstone/ragstone/internal/kernel"

// embed looks the tokens up and computes their positions' rotations.
func (d *Decoder) embed(spans []span) {
	w := &d.work
	w.owner = w.owner[:0]
	positions := make([]int, w.rows)
	for i, s := range spans {
		for j, t := range s.in.Tokens[s.first : s.first+s.n] {
			x := w.x.Row(s.row + j)
			d.embedding.Row(int(t), x)
			if d.config.EmbeddingScale != 1 {
				scale(x, float32(d.config.EmbeddingScale))
			}
			positions[s.row+j] = s.position + j
			w.owner = append(w.owner, i)
		}
	}
	for i := range d.rotary {
		if d.rotary[i].frequencies != nil {
			w.turns[i].fill(d, &d.rotary[i], positions)
		}
	}
}

// read puts what a half layer reads of the residual stream into normed, ready
// for the matrices. blame is the layer that is at fault when a number is not
// finite: the last one that wrote.
func (d *Decoder) read(blame, row int, norm []float32, readers ...*kernel.Matrix) {
	w := &d.work
	if norm == nil {
		x := w.x.Row(row)
		copy(w.normed.Row(row), x)
		w.check(blame, kernel.Dot(x, x))
	} else {
		w.check(blame, kernel.RMSNorm(w.normed.Row(row), w.x.Row(row), norm, float32(d.config.Epsilon)))
	}
	quantize(&w.normed, row, readers...)
}

// write adds what a half layer computed to the residual stream.
func (d *Decoder) write(layer, row int, bias, norm []float32) {
	w, c := &d.work, &d.config
	added := w.added[row*c.Width : (row+1)*c.Width]
	addBias(added, bias)
	if norm != nil {
		w.check(layer, kernel.RMSNorm(added, added, norm, float32(c.Epsilon)))
	}
	if c.ResidualScale != 1 {
		scale(added, float32(c.ResidualScale))
	}
	kernel.Axpy(1, added, w.x.Row(row))
}

// attend is the first half of a layer: x += projected · attention(norm(x)).
func (d *Decoder) attend(layer int, spans []span) {
	w, l := &d.work, &d.layers[layer]
	d.eachRow(func(r int) { d.read(layer-1, r, l.attentionNorm, l.query, l.key, l.value) })
	d.multiply(&w.normed,
		kernel.Product{Matrix: l.query, Out: w.query},
		kernel.Product{Matrix: l.key, Out: w.key},
		kernel.Product{Matrix: l.value, Out: w.value})
	d.eachRow(func(r int) {
		d.turn(layer, r)
		d.store(layer, r, spans)
	})
	w.attention[d.config.kind(layer)].run(d, layer)
	d.eachRow(func(r int) { quantize(&w.attended, r, l.projected) })
	d.multiply(&w.attended, kernel.Product{Matrix: l.projected, Out: w.added})
	d.eachRow(func(r int) { d.write(layer, r, l.projectedBias, l.attentionPostNorm) })
}

// turn finishes a row's queries, keys and values: biases, normalisation,
// rotation.
func (d *Decoder) turn(layer, r int) {
	w, l, c := &d.work, &d.layers[layer], &d.config
	heads, kv := c.Heads*c.HeadSize, c.KVHeads*c.HeadSize
	query, key, value := w.query[r*heads:(r+1)*heads], w.key[r*kv:(r+1)*kv], w.value[r*kv:(r+1)*kv]
	addBias(query, l.queryBias)
	addBias(key, l.keyBias)
	addBias(value, l.valueBias)
	if c.QueryKeyNorm != notNormed {
		normEach(query, l.queryNorm, c.Epsilon)
		normEach(key, l.keyNorm, c.Epsilon)
	}
	if c.rotated(layer) {
		cos, sin := w.turns[c.kind(layer)].row(r)
		kernel.Rotate(query, c.HeadSize, c.Rotary.Pairing, cos, sin)
		kernel.Rotate(key, c.HeadSize, c.Rotary.Pairing, cos, sin)
	}
	if c.ByteCache {
		d.spread.queries(query)
		d.spread.keys(key)
	}
}

// addBias adds a bias where there is one.
func addBias(x, bias []float32) {
	if bias != nil {
		kernel.Axpy(1, bias, x)
	}
}

// normEach normalises x in pieces of the weight's length.
func normEach(x, weight []float32, epsilon float64) {
	for n := len(weight); len(x) > 0; x = x[n:] {
		kernel.RMSNorm(x[:n], x[:n], weight, float32(epsilon))
	}
}

// store writes a row's keys and values into its sequence's cache.
func (d *Decoder) store(layer, r int, spans []span) {
	w, c := &d.work, &d.config
	kv := c.KVHeads * c.HeadSize
	key, value := w.key[r*kv:(r+1)*kv], w.value[r*kv:(r+1)*kv]
	s := &spans[w.owner[r]]
	position := s.position + r - s.row
	block := s.in.Cache.blocks[position/kernel.PageTokens]
	for h := range c.KVHeads {
		page, slot, at := d.page(block, layer, h), position%kernel.PageTokens, h*c.HeadSize
		if c.ByteCache {
			kernel.StoreBytes(page, slot, key[at:at+c.HeadSize], value[at:at+c.HeadSize])
		} else {
			kernel.StoreKV(page, slot, key[at:at+c.HeadSize], value[at:at+c.HeadSize])
		}
	}
}

// feedForward is the second half of a layer: x += unit(norm(x)), where unit(x) =
// down · (activation(gate·x) ∘ up·x), or the sum of some experts' units.
func (d *Decoder) feedForward(layer int) {
	w, l := &d.work, &d.layers[layer]
	if l.router != nil {
		d.eachRow(func(r int) { d.read(layer, r, l.forwardNorm, l.router) })
		d.mix(layer)
	} else {
		unit := &l.experts[0]
		d.eachRow(func(r int) { d.read(layer, r, l.forwardNorm, unit.gate, unit.up) })
		d.gated(unit, &w.normed, w.added)
	}
	d.eachRow(func(r int) { d.write(layer, r, nil, l.forwardPostNorm) })
}

// gated runs rows, ready for the matrices, through a gated unit.
func (d *Decoder) gated(u *gatedUnit, rows *kernel.Activations, out []float32) {
	w, n := &d.work, d.config.FeedForward
	w.gated.Resize(rows.Rows(), n)
	d.multiply(rows,
		kernel.Product{Matrix: u.gate, Out: w.gated.All()},
		kernel.Product{Matrix: u.up, Out: w.up})
	d.each(rows.Rows(), func(r int) { d.gate(r, u.down) })
	d.multiply(&w.gated, kernel.Product{Matrix: u.down, Out: out})
}

// gate makes activation(gate·x) ∘ up·x of a row, ready for the down matrix.
func (d *Decoder) gate(r int, down *kernel.Matrix) {
	w, n := &d.work, d.config.FeedForward
	gate, up := w.gated.Row(r), w.up[r*n:(r+1)*n]
	if d.config.GELU {
		kernel.GELUTanhMul(gate, up)
	} else {
		kernel.SiLUMul(gate, up)
	}
	quantize(&w.gated, r, down)
}
