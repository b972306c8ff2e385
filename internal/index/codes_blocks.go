package index

import (
	"sync"

	"github.com/ragstone/ragstone/internal/kernel"
	"github.com/ragstone/ragstone/internal/quant"
)

// codeBlocks are product codes of four bits in blocks of 32, for fast scan.
type codeBlocks struct {
	once  sync.Once
	size  int // of a block
	bytes []byte
}

// blockSlack is how many more rows than wanted a fast scan finds: its sums are of tables
// rounded to bytes, and the best are scored again with exact ones.
const blockSlack = 16

// scanBlocks finds the best rows by fast scan.
func (c *Codes) scanBlocks(codec *quant.Product, query []float32, width int, f *Filter) []Hit {
	c.blocks.once.Do(func() { c.fillBlocks(codec) })
	var terms kernel.ScanTerms
	var candidates kernel.Candidates
	var estimates [kernel.BlockVectors]float32
	var rows [kernel.BlockVectors]uint32
	size := c.blocks.size
	tables := make([]byte, (size-factorsSize)/kernel.CodesSize(1)*kernel.TableSize)
	terms.Step, terms.Low = codec.ByteTables(query, c.similarity(), tables)
	candidates.Reset(width + blockSlack)
	for b := range len(c.blocks.bytes) / size {
		terms.Limit = candidates.Limit()
		below := kernel.ScanBlock(c.blocks.bytes[b*size:(b+1)*size], tables, &terms, &estimates, size)
		if f != nil {
			below &= f.block(b)
		}
		if below == 0 {
			continue
		}
		for i := range rows {
			rows[i] = uint32(b*kernel.BlockVectors + i)
		}
		candidates.Add(&rows, &estimates, below, nil)
	}
	return c.scoreCandidates(&candidates, query, width)
}

// scoreCandidates scores candidates with exact tables and returns the best.
func (c *Codes) scoreCandidates(candidates *kernel.Candidates, query []float32, width int) []Hit {
	scorer, size, best := c.codec.Scorer(query, c.similarity()), c.codec.CodeSize(), newTopK(width)
	var score [1]float32
	for i := 0; ; i++ {
		row, _, ok := candidates.At(i)
		if !ok {
			return best.sorted()
		}
		scorer.Score(c.codes[int(row)*size:(int(row)+1)*size], score[:])
		best.add(int(row), score[0])
	}
}

// fillBlocks puts the codes into blocks.
func (c *Codes) fillBlocks(codec *quant.Product) {
	const unit = kernel.BlockGroups
	groups, n, size := (codec.Parts()+unit-1)/unit*unit, c.Len(), codec.CodeSize()
	c.blocks.size = kernel.CodesSize(groups) + factorsSize
	c.blocks.bytes = alignedBytes(blocks(n) * c.blocks.size)
	numbers := make([]byte, groups)
	for b := range blocks(n) {
		block := c.blocks.bytes[b*c.blocks.size : (b+1)*c.blocks.size]
		members := min(kernel.BlockVectors, n-b*kernel.BlockVectors)
		for i := range members {
			at := (b*kernel.BlockVectors + i) * size
			codec.Spread(c.codes[at:at+size], numbers)
			kernel.PutCode(block[:len(block)-factorsSize], i, numbers)
		}
		plainFactors(block, members)
	}
}
