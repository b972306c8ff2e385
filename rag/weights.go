package rag

// What is learned. test/quality fits these numbers on the odd half of the
// English XQuAD questions and on nothing else; `make learn` prints them anew.

// sentenceWeights weigh the standardised evidence about a sentence.
var sentenceWeights = struct{ keyword, cosine, passage, likelihood float64 }{
	keyword: 1, cosine: 1, passage: 0.25, likelihood: 1,
}

// spanWeights weigh the features of a span, in the order of their names.
var spanWeights = [numFeatures]float64{
	fLogProb:       1,
	fOverlap:       -1.5,
	fNumber:        1,
	fName:          1,
	fSentence:      0.67,
	fFunctionFirst: -0.5,
	fFunctionLast:  -1,
	fUnbalanced:    -1,
}

// gateWeights and gateBias weigh the evidence of the gate.
var (
	gateBias    = -6.0
	gateWeights = [numGate]float64{gPassage: 4, gSentence: 2, gCosine: 4, gKeyword: 2}
)
