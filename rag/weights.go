package rag

// What is learned. test/quality fits these numbers on the odd half of the
// English XQuAD questions and on nothing else; `make learn` prints them anew.

// sentenceWeights weigh the standardised evidence about a sentence.
var sentenceWeights = struct{ keyword, cosine, passage, likelihood float64 }{
	keyword: 1, cosine: 1, passage: 0.25, likelihood: 1,
}

// spanWeights weigh the features of a span, in the order of their names.
var spanWeights = [numFeatures]float64{
	fLogProb:       1.683,
	fPrior:         -0.682,
	fOverlap:       -3.285,
	fNumber:        0.652,
	fName:          1.119,
	fSentence:      0.715,
	fFunctionFirst: -0.738,
	fFunctionLast:  -2.316,
	fNear:          2.584,
	fStops:         -1.718,
	fArticle:       0.715,
	fAllCapital:    0.921,
	fYear:          0.673,
}

// gateWeights weigh the evidence of the gate; keywordGateWeights that of a
// corpus without vectors.
var (
	gateBias    = -4.017
	gateWeights = [numGate]float64{
		gPassage:       1.672,
		gKeyword:       2.022,
		gKeywordGap:    0.877,
		gCosineGap:     4.238,
		gAgreement:     3.657,
		gLikelihoodGap: 0.761,
		gMissing:       -2.189,
		gSpan:          0.218,
	}

	keywordGateBias    = -3.818
	keywordGateWeights = [numGate]float64{
		gPassage:       1.728,
		gKeyword:       2.697,
		gKeywordGap:    1.172,
		gAgreement:     1.504,
		gLikelihoodGap: 1.041,
		gMissing:       -2.480,
		gSpan:          0.255,
	}
)
