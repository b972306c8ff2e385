package grammar

// config is a state of the whole automaton after some text: every state of the
// program that can be reached, each with the stack of calls it was reached
// through. Equal configs are one object, and remember where each byte leads,
// so that the pushdown automaton runs like a finite one wherever it has been
// before.
type config struct {
	items     []item    // the states that have edges, in order
	next      []*config // by class of bytes; nil where it is not known yet
	complete  bool      // the text is in the language
	exit      int32     // fewest bytes to a complete text
	plain     uint8     // as program.plain, for the whole
	plainExit int32     // exit is at most this after plain characters
	forced    int16     // the only byte that may follow, or one of the two below

	mask     *tokenSet // tokens that may follow; nil until it is asked for
	farthest int32     // largest exit after one of them; known with mask
	tokens   int32     // fewest tokens to a complete text, or notMeasured
	longest  int32     // largest tokens after one of mask, or notMeasured
	search   uint64    // last search that has reached it
	loop     loop      // whether every plain character leads back here
}

// loop says whether something leads back to where it began.
type loop uint8

const (
	loopUnknown loop = iota
	loops
	loopsNot
)

const (
	forcedUnknown = -1
	forcedNothing = -2
	notMeasured   = -1
)

// dead is the config from which nothing goes on.
var dead = &config{}

// item is a state and the calls around it.
type item struct {
	state int32
	calls *node
}

// node is a set of places to go on at when a rule ends: a stack, or several
// that share this top. Sharing is what keeps ambiguous grammars small; it is
// the graph-structured stack of Tomita (1987), with one node for a rule called
// at one position, as in Earley's algorithm (1970). Equal nodes are one object.
type node struct {
	id      int32 // negative while the node is still growing in a closure
	entries []item
	exit    int32 // fewest bytes to a complete text once the rule has ended

	final *node // in a closure: the node that this one has become
}
