package grammar

import (
	"errors"
	"fmt"
)

// The limits of grammars. They are far above what honest ones need, and low
// enough that a hostile one costs less than a second and some tens of
// megabytes.
const (
	maxSource    = 1 << 20  // bytes of a schema, grammar or expression
	maxStates    = 1 << 18  // of a program
	maxDepth     = 128      // of nested schemas, groups, or parentheses
	maxCallDepth = 1000     // of rules that begin with one another
	maxRuneSteps = 1 << 20  // transitions of an automaton over characters
	maxRegexWork = 1 << 24  // steps to make one expression deterministic
	maxItems     = 1 << 14  // of a config
	maxWork      = 1 << 22  // items visited for one mask
	maxKept      = 1 << 21  // items and transitions of the configs remembered
	maxMasks     = 16 << 20 // bytes of the masks remembered
	maxExit      = 1 << 12  // bytes to a complete text, beyond which its tokens are not sought
	maxExitWork  = 1 << 20  // tokens and items looked at to find them
	maxForced    = 1 << 12  // bytes of a forced run
)

// ErrEmpty means that no text at all satisfies a grammar.
var ErrEmpty = errors.New("no text satisfies the grammar")

// LimitError reports a grammar that is too large or too ambiguous.
type LimitError struct {
	What  string
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the grammar is too large: more than %d %s", e.Limit, e.What)
}
