package faiss

// unsupported names the kinds of nodes that are known and not supported.
var unsupported = map[string]string{
	"IxRq": "IndexResidualQuantizer", "IxLS": "IndexLocalSearchQuantizer", "IxPR": "IndexProductResidualQuantizer",
	"IxPL": "IndexProductLocalSearchQuantizer", "ILfs": "IndexLocalSearchQuantizerFastScan", "IRfs": "IndexResidualQuantizerFastScan",
	"ImRQ": "ResidualCoarseQuantizer", "Ix2L": "Index2Layer", "IxLa": "IndexLattice", "IwFd": "IndexIVFFlatDedup",
	"IwLS": "IndexIVFLocalSearchQuantizer", "IwRQ": "IndexIVFResidualQuantizer", "IwPL": "IndexIVFProductLocalSearchQuantizer",
	"IwPR": "IndexIVFProductResidualQuantizer", "IVLf": "IndexIVFLocalSearchQuantizerFastScan", "IVRf": "IndexIVFResidualQuantizerFastScan",
	"IwSh": "IndexIVFSpectralHash", "IwQR": "IndexIVFPQR", "IwIQ": "IndexIVFIndependentQuantizer", "Imiq": "MultiIndexQuantizer",
	"IHN2": "IndexHNSW2Level", "IHc2": "IndexHNSWCagra", "INSf": "IndexNSGFlat", "INSp": "IndexNSGPQ", "INSs": "IndexNSGSQ",
	"INNf": "IndexNNDescentFlat", "IRMf": "IndexRowwiseMinMax", "IRMh": "IndexRowwiseMinMaxFP16", "Ixrq": "IndexRaBitQ",
	"Iwrq": "IndexIVFRaBitQ", "IBwF": "IndexBinaryIVF", "IBFf": "IndexBinaryFromFloat", "IBHh": "IndexBinaryHash",
	"IBHm": "IndexBinaryMultiHash", "null": "an index that was written without its vectors",
}

// node reads a node.
func (r *reader) node() node {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > maxDepth {
		r.fail("indexes are nested more than %d deep", maxDepth)
		return failed{}
	}
	var x node
	switch code := r.fourcc(); code {
	case "IxFI", "IxF2", "IxFl":
		x = r.flat()
	case "IxPq":
		x = r.product()
	case "IPfs":
		x = r.fastProduct()
	case "IxSQ":
		x = r.scalar()
	case "IxHe":
		x = r.lsh()
	case "IwFl", "IwPQ", "IwSq", "IwPf":
		x = r.ivf(code)
	case "IHNf", "IHNp", "IHNs":
		x = r.hnsw()
	case "IxMp", "IxM2":
		x = r.idMap(r.header(), (*reader).node)
	case "IBMp", "IBM2":
		x = r.idMap(r.binaryHeader(), (*reader).node)
	case "IxPT":
		x = r.preTransform()
	case "IxRF":
		x = r.refine()
	case "IBxF":
		x = r.binaryFlat()
	case "IBHf":
		x = r.binaryHNSW()
	default:
		if name := unsupported[code]; name != "" {
			r.fail("%s (%s) is not supported", name, code)
		} else {
			r.fail("%q begins no index that is known", code)
		}
	}
	if r.err != nil {
		return failed{}
	}
	return x
}
