package rag

// What is learned. test/quality fits these numbers on the odd half of the
// English XQuAD questions, the gates of other languages on that of the German and
// Spanish ones, and on nothing else; `make learn` prints them anew.

// sentenceWeights weigh the standardised evidence about a sentence.
var sentenceWeights = struct{ keyword, cosine, passage, likelihood float64 }{
	keyword: 1, cosine: 1, passage: 0.25, likelihood: 1,
}

// spanWeights weigh the features of a span, in the order of their names.
var spanWeights = [numFeatures]float64{
	fLogProb:       1.429,
	fPrior:         -0.761,
	fStop:          0.988,
	fOverlap:       -3.130,
	fNumber:        0.716,
	fName:          1.111,
	fSentence:      0.663,
	fFunctionFirst: -0.871,
	fFunctionLast:  -0.870,
	fNear:          3.162,
	fStops:         -1.078,
	fArticle:       0.709,
	fAllCapital:    0.828,
	fYear:          0.420,
}

// columnWeight weighs a cell whose column the question names. It is chosen, not
// learned: there are no tables in XQuAD. In the range of span scores it outweighs
// any one feature and not all of them.
const columnWeight = 3

// The gates: of questions in English and in other languages, of a corpus with
// vectors and without.
var (
	englishGate = gateModel{-4.088, [numGate]float64{
		gPassage:       1.635,
		gKeyword:       1.992,
		gKeywordGap:    0.955,
		gCosineGap:     4.244,
		gAgreement:     3.644,
		gLikelihoodGap: 0.776,
		gMissing:       -2.167,
		gSpan:          0.227,
	}}
	englishKeywordGate = gateModel{-3.898, [numGate]float64{
		gPassage:       1.701,
		gKeyword:       2.678,
		gKeywordGap:    1.273,
		gAgreement:     1.468,
		gLikelihoodGap: 1.065,
		gMissing:       -2.457,
		gSpan:          0.263,
	}}
	otherGate = gateModel{-3.218, [numGate]float64{
		gPassage:       2.189,
		gKeyword:       3.458,
		gKeywordGap:    2.242,
		gCosineGap:     0.804,
		gAgreement:     1.313,
		gLikelihoodGap: 1.637,
		gMissing:       -1.672,
		gSpan:          0.129,
	}}
	otherKeywordGate = gateModel{-3.200, [numGate]float64{
		gPassage:       2.353,
		gKeyword:       3.726,
		gKeywordGap:    2.121,
		gAgreement:     0.275,
		gLikelihoodGap: 1.699,
		gMissing:       -1.709,
		gSpan:          0.136,
	}}
)
