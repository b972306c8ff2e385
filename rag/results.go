package rag

// Passage is a piece of one document: what is searched, quoted and cited. It
// holds copies and stays valid after the corpus is closed.
type Passage struct {
	// ID numbers the passages of the index from 0, in the order of paths and
	// offsets. A Sync that changes anything may renumber.
	ID int

	// Path is the absolute path of the passage's file.
	Path string

	// Title is the document's own title, or "" where it has none.
	Title string

	// Start and End are byte offsets of Text in the text of the document: the
	// file's own bytes for Markdown, plain text and source code, the extracted
	// text for HTML, XML, PDF and DOCX. Corpus.DocumentText returns that text.
	Start, End int
	Text       string

	Place // of Start in the file; PlaceAt tells that of other offsets

	// Headings are the headings above the passage, outermost first.
	Headings []string

	unit  unit
	marks []placeMark // by offset in Text
	head  []string    // of the table that Text begins inside
}

// Standing is where one retriever placed a passage.
type Standing struct {
	// Rank is the passage's place in the retriever's own order, from 1; 0 means
	// that the retriever did not have the passage among its candidates. Equal
	// scores are in the order in which their files came to the index.
	Rank int

	// Score is the retriever's own score: BM25, or the cosine of question and
	// passage. It is computed for every passage in the results, whichever
	// retriever brought it; 0 where the corpus has no such retriever.
	Score float64
}

// Hit is one passage of a search's results and why it is there.
type Hit struct {
	Passage

	// Rank is the place in the fused order, from 1, and Score the fused score,
	// from 0 to 1. Fused scores of different questions do not compare.
	Rank  int
	Score float64

	Keyword Standing // BM25
	Vector  Standing // exact cosine
}

// QueryTerm is a term the keyword analyser found in the question.
type QueryTerm struct {
	Term     string  // as indexed: lower case, stemmed
	Passages int     // how many passages hold it
	IDF      float64 // its BM25 weight
}

// Results answer one search: hits in rank order, and what the question looked
// like to the retrievers, which an answerer's gate needs.
type Results struct {
	Question string
	Hits     []Hit

	// Terms are the question's terms, each once, in the order of the question.
	Terms []QueryTerm

	// Vector is the question's embedding, nil in a corpus without vectors.
	Vector []float32

	// BestKeyword and BestVector are the best score each retriever gave to any
	// passage of the corpus.
	BestKeyword, BestVector float64
}
