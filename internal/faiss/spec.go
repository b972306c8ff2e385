package faiss

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Spec is a factory string in parts, outermost first.
type Spec struct {
	IDMap      bool        // "IDMap": labels are given, not counted
	Transforms []Transform // applied in this order
	Lists      int         // "IVF1024": 0 means none
	CoarseM    int         // "IVF1024_HNSW32": links of the graph over the centroids; 0 means they are compared
	HNSW       int         // "HNSW32": links of a node; 0 means no graph
	Codec      CodecSpec
	Refine     bool // "RFlat": the best candidates are compared with the vectors
	Binary     bool // "BFlat", "BHNSW32"
}

// Transform is what is done to vectors first.
type Transform struct {
	Kind  TransformKind
	Out   int // dimensions afterwards; 0 means as before
	Parts int // of OPQ
}

// TransformKind names a transform as the factory does.
type TransformKind string

// The transforms.
const (
	PCA         TransformKind = "PCA"    // onto the directions of most variance
	PCARotate   TransformKind = "PCAR"   // and turned at random
	PCAWhiten   TransformKind = "PCAW"   // with the variances made equal
	Rotate      TransformKind = "RR"     // turned at random
	OPQ         TransformKind = "OPQ"    // turned so that product codes lose little
	Normalise   TransformKind = "L2norm" // divided by the norm
	maxFactory                = 256      // bytes of a factory string
	maxPrefixes               = 8
)

// CodecSpec is how vectors are kept.
type CodecSpec struct {
	Kind       CodecKind
	Parts      int  // of product codes
	Bits       int  // of a part of product codes, of a number of scalar codes; of an LSH code, 0 as many as dimensions
	Fast       bool // product codes of 4 bits in blocks of 32
	Rotated    bool // LSH: turned at random before signs are taken
	Thresholds bool // LSH: signs around the medians
}

// CodecKind is a kind of codes.
type CodecKind int

// The codecs.
const (
	FlatCodec    CodecKind = iota // float32
	ScalarCodec                   // SQ8, SQ4
	HalfCodec                     // SQfp16
	ProductCodec                  // PQ
	SignCodec                     // LSH
)

// String returns the factory string.
func (s Spec) String() string {
	var parts []string
	if s.IDMap {
		parts = append(parts, "IDMap")
	}
	for _, t := range s.Transforms {
		parts = append(parts, t.String())
	}
	if s.Lists > 0 {
		text := fmt.Sprintf("IVF%d", s.Lists)
		if s.CoarseM > 0 {
			text += fmt.Sprintf("_HNSW%d", s.CoarseM)
		}
		parts = append(parts, text)
	}
	switch {
	case s.HNSW > 0 && s.Binary:
		parts = append(parts, fmt.Sprintf("BHNSW%d", s.HNSW))
	case s.Binary:
		parts = append(parts, "BFlat")
	case s.HNSW > 0:
		parts = append(parts, fmt.Sprintf("HNSW%d", s.HNSW))
		if s.Codec.Kind != FlatCodec {
			parts = append(parts, s.Codec.String())
		}
	default:
		parts = append(parts, s.Codec.String())
	}
	if s.Refine {
		parts = append(parts, "RFlat")
	}
	return strings.Join(parts, ",")
}

// String returns the factory's name of the transform.
func (t Transform) String() string {
	text := string(t.Kind)
	if t.Kind == OPQ {
		text += strconv.Itoa(t.Parts)
		if t.Out > 0 {
			text += "_" + strconv.Itoa(t.Out)
		}
		return text
	}
	if t.Out > 0 {
		text += strconv.Itoa(t.Out)
	}
	return text
}

// String returns the factory's name of the codec.
func (c CodecSpec) String() string {
	switch c.Kind {
	case ScalarCodec:
		return fmt.Sprintf("SQ%d", c.Bits)
	case HalfCodec:
		return "SQfp16"
	case ProductCodec:
		text := fmt.Sprintf("PQ%d", c.Parts)
		if c.Fast {
			return text + "x4fs"
		}
		if c.Bits != 8 {
			text += fmt.Sprintf("x%d", c.Bits)
		}
		return text
	case SignCodec:
		text := "LSH"
		if c.Bits > 0 {
			text += strconv.Itoa(c.Bits)
		}
		if c.Rotated {
			text += "r"
		}
		if c.Thresholds {
			text += "t"
		}
		return text
	}
	return "Flat"
}

var (
	transformPart = regexp.MustCompile(`^(PCAR|PCAW|PCA|RR)(\d+)$`)
	opqPart       = regexp.MustCompile(`^OPQ(\d+)(?:_(\d+))?$`)
	ivfPart       = regexp.MustCompile(`^IVF(\d+)(?:_HNSW(\d+))?$`)
	hnswPart      = regexp.MustCompile(`^HNSW(\d+)$`)
	scalarPart    = regexp.MustCompile(`^SQ(4|8)$`)
	productPart   = regexp.MustCompile(`^PQ(\d+)(?:x(4fs|4|8))?$`)
	lshPart       = regexp.MustCompile(`^LSH(\d*)(r?)(t?)$`)
	binaryPart    = regexp.MustCompile(`^BHNSW(\d+)$`)
)

// Parse reads a factory string. Its error names the part that is not known or that
// does not fit where it stands.
func Parse(text string) (Spec, error) {
	p := specParser{text: text}
	if len(text) > maxFactory {
		return Spec{}, fmt.Errorf("index %q…: a factory string has at most %d bytes", text[:20], maxFactory)
	}
	p.parts = strings.Split(text, ",")
	p.prefixes()
	p.lists()
	p.body()
	if p.takes("RFlat") || p.takes("Refine(Flat)") {
		p.spec.Refine = true
	}
	if len(p.parts) > 0 {
		p.fail("part %q is not known there", p.parts[0])
	}
	if p.err == nil {
		p.check()
	}
	return p.spec, p.err
}

// specParser takes parts from the front. The first problem stays.
type specParser struct {
	text  string
	parts []string
	spec  Spec
	err   error
}

func (p *specParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("index %q: %s", p.text, fmt.Sprintf(format, args...))
	}
}

// takes reports whether the next part is this one, and takes it.
func (p *specParser) takes(part string) bool {
	if len(p.parts) == 0 || p.parts[0] != part {
		return false
	}
	p.parts = p.parts[1:]
	return true
}

// match takes the next part if it matches, and returns its groups.
func (p *specParser) match(re *regexp.Regexp) []string {
	if len(p.parts) == 0 {
		return nil
	}
	groups := re.FindStringSubmatch(p.parts[0])
	if groups != nil {
		p.parts = p.parts[1:]
	}
	return groups
}

// number reads digits as a number from 1 to most; none are 0.
func (p *specParser) number(part, digits string, most int) int {
	if digits == "" {
		return 0
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > most {
		p.fail("part %q: %s is not between 1 and %d", part, digits, most)
		return 1
	}
	return n
}

const (
	maxDimensions = 65536
	maxLists      = 1 << 24
	maxLinks      = 512
)

func (p *specParser) prefixes() {
	for range maxPrefixes {
		if p.takes("IDMap") || p.takes("IDMap2") {
			p.spec.IDMap = true
		} else if p.takes("L2norm") {
			p.spec.Transforms = append(p.spec.Transforms, Transform{Kind: Normalise})
		} else if m := p.match(transformPart); m != nil {
			p.spec.Transforms = append(p.spec.Transforms, Transform{Kind: TransformKind(m[1]), Out: p.number(m[0], m[2], maxDimensions)})
		} else if m := p.match(opqPart); m != nil {
			p.spec.Transforms = append(p.spec.Transforms, Transform{Kind: OPQ, Parts: p.number(m[0], m[1], maxDimensions), Out: p.number(m[0], m[2], maxDimensions)})
		} else {
			return
		}
	}
}

func (p *specParser) lists() {
	if m := p.match(ivfPart); m != nil {
		p.spec.Lists = p.number(m[0], m[1], maxLists)
		p.spec.CoarseM = p.number(m[0], m[2], maxLinks)
	}
}

// body reads how vectors are kept.
func (p *specParser) body() {
	if len(p.parts) == 0 {
		p.fail("it does not say how vectors are kept: add a part such as Flat, SQ8, PQ32 or HNSW32")
		return
	}
	if p.takes("BFlat") {
		p.spec.Binary = true
		return
	}
	if m := p.match(binaryPart); m != nil {
		p.spec.Binary, p.spec.HNSW = true, p.number(m[0], m[1], maxLinks)
		return
	}
	if m := p.match(hnswPart); m != nil {
		p.spec.HNSW = p.number(m[0], m[1], maxLinks)
		if len(p.parts) == 0 || p.parts[0] == "RFlat" || p.parts[0] == "Refine(Flat)" {
			return
		}
	}
	p.codec()
}

func (p *specParser) codec() {
	c := &p.spec.Codec
	if p.takes("Flat") {
		return
	}
	if p.takes("SQfp16") {
		c.Kind = HalfCodec
	} else if m := p.match(scalarPart); m != nil {
		c.Kind, c.Bits = ScalarCodec, p.number(m[0], m[1], 8)
	} else if m := p.match(productPart); m != nil {
		c.Kind, c.Parts, c.Bits = ProductCodec, p.number(m[0], m[1], maxDimensions), 8
		if m[2] == "4" || m[2] == "4fs" {
			c.Bits, c.Fast = 4, m[2] == "4fs"
		}
	} else if m := p.match(lshPart); m != nil {
		*c = CodecSpec{Kind: SignCodec, Bits: p.number(m[0], m[1], maxDimensions), Rotated: m[2] != "", Thresholds: m[3] != ""}
	} else {
		p.fail("part %q is not known; there are Flat, SQ8, SQ4, SQfp16, PQ32, PQ32x4, PQ32x4fs, LSH, HNSW32, BFlat and BHNSW32", p.parts[0])
	}
}

// check refuses parts that do not go together.
func (p *specParser) check() {
	s := p.spec
	switch {
	case s.Binary && (len(s.Transforms) > 0 || s.Lists > 0 || s.Refine):
		p.fail("a binary index stands alone or behind IDMap")
	case s.HNSW == 1 || s.CoarseM == 1:
		p.fail("HNSW1: a node has at least 2 links")
	case s.Lists > 0 && s.HNSW > 0:
		p.fail("a graph in lists is not known; IVF%d_HNSW%d has one over the centroids", s.Lists, s.HNSW)
	case s.Codec.Kind == SignCodec && (s.Lists > 0 || s.HNSW > 0):
		p.fail("LSH stands behind transforms only")
	case s.Codec.Fast && s.HNSW > 0:
		p.fail("PQ%dx4fs is for scans; a graph takes PQ%d", s.Codec.Parts, s.Codec.Parts)
	}
}
