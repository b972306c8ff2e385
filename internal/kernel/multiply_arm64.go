//go:build !purego

package kernel

// quantTile multiplies n rows of blocks. The rows share a group of weights while
// it is in the first-level cache.
func quantTile(f Format, weights []byte, a []block, n int, _ bool, out []float32, groups, stride int) {
	if !useNEON {
		quantTileGeneric(f, weights, a, n, out, groups, stride)
		return
	}
	blocks, group := len(a)/n, len(weights)/groups
	for g := range groups {
		for t := range n {
			quantGroupNEON(f, &weights[g*group], &a[t*blocks], &out[t*stride+g*groupRows : t*stride+(g+1)*groupRows][0], blocks)
		}
	}
}

func floatTile(f Format, weights []byte, a []float32, n int, out []float32, groups, stride int) {
	if !useNEON {
		floatTileGeneric(f, weights, a, n, out, groups, stride)
		return
	}
	cols, group := len(a)/n, len(weights)/groups
	for g := range groups {
		for t := range n {
			floatGroupNEON(f, &weights[g*group], &a[t*cols], &out[t*stride+g*groupRows : t*stride+(g+1)*groupRows][0], cols)
		}
	}
}
