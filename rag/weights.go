package rag

// What is learned. test/quality fits these numbers on the odd half of the
// English XQuAD questions and on nothing else; `make learn` prints them anew.

// sentenceWeights weigh the standardised evidence about a sentence.
var sentenceWeights = struct{ keyword, cosine, passage, likelihood float64 }{
	keyword: 1, cosine: 1, passage: 0.25, likelihood: 1,
}

// spanWeights weigh the features of a span, in the order of their names.
var spanWeights = [numFeatures]float64{
	fLogProb:       1.266,
	fOverlap:       -3.306,
	fNumber:        2.050,
	fNotNumber:     -2.050,
	fName:          0.493,
	fNotName:       -0.493,
	fSentence:      1.095,
	fBestSentence:  -0.470,
	fWords:         0.060,
	fFunctionFirst: -1.605,
	fFunctionLast:  -1.814,
	fUnbalanced:    -0.006,
	fNear:          2.664,
	fStops:         -2.177,
	fNoContent:     0.612,
}

// gateWeights weigh the evidence of the gate; keywordGateWeights that of a
// corpus without vectors.
var (
	gateBias    = -3.523
	gateWeights = [numGate]float64{
		gPassage:       1.744,
		gKeyword:       2.733,
		gKeywordGap:    1.101,
		gCosineGap:     4.556,
		gAgreement:     1.633,
		gLikelihoodGap: 0.585,
		gMissing:       -3.536,
		gSpan:          0.161,
	}

	keywordGateBias    = -3.260
	keywordGateWeights = [numGate]float64{
		gPassage:       1.798,
		gKeyword:       2.952,
		gKeywordGap:    1.519,
		gAgreement:     1.007,
		gLikelihoodGap: 0.815,
		gMissing:       -3.712,
		gSpan:          0.176,
	}
)
