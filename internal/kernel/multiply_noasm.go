//go:build !(amd64 || arm64) || purego

package kernel

func quantTile(f Format, weights []byte, a []block, n int, _ bool, out []float32, groups, stride int) {
	quantTileGeneric(f, weights, a, n, out, groups, stride)
}

func floatTile(f Format, weights []byte, a []float32, n int, out []float32, groups, stride int) {
	floatTileGeneric(f, weights, a, n, out, groups, stride)
}
