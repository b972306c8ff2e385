package chat

// statement is one of the types below.
type statement any

type (
	// outputStmt is {{ x }}, or text where x is a constant.
	outputStmt struct {
		line int
		x    expression
	}
	ifStmt struct {
		line       int
		test       expression
		then, next []statement // next: elif and else
	}
	forStmt struct {
		line      int
		target    target
		items     expression
		filter    expression // nil: none
		recursive bool
		body      []statement
		otherwise []statement
	}
	// setStmt is {% set target = x %}.
	setStmt struct {
		line   int
		target target
		x      expression
	}
	// setBlockStmt is {% set target %} body {% endset %}, through filters.
	setBlockStmt struct {
		line    int
		target  target
		filters expression // applied to blockText; nil: none
		body    []statement
	}
	macroStmt struct {
		line  int
		macro *macro
	}
	// callStmt is {% call(params) fn(…) %} body {% endcall %}.
	callStmt struct {
		line   int
		call   *callExpr
		caller *macro
	}
	filterStmt struct {
		line    int
		filters expression // applied to blockText
		body    []statement
	}
	withStmt struct {
		line    int
		targets []target
		values  []expression
		body    []statement
	}
	breakStmt    struct{ line int }
	continueStmt struct{ line int }
)

// macro is a macro's definition.
type macro struct {
	name     string
	params   []string
	defaults []expression // of the last params
	body     []statement
}

// target is what set and for assign to: a name, a namespace's attribute, or
// several names.
type target struct {
	name  string
	attr  string   // of the namespace name
	names []target // unpacked
}

// expression is one of the types below.
type expression any

type (
	constant struct{ v value }
	nameExpr struct{ name string }
	listExpr struct {
		items []expression
		tuple bool
	}
	dictExpr  struct{ keys, values []expression }
	unaryExpr struct {
		op string // "-", "+" or "not"
		x  expression
	}
	binaryExpr struct {
		op   string // an arithmetic operator, or "and", "or"
		l, r expression
	}
	concatExpr  struct{ parts []expression }
	compareExpr struct {
		first expression
		ops   []string
		rest  []expression
	}
	ifExpr   struct{ test, then, otherwise expression } // otherwise may be nil
	attrExpr struct {
		x    expression
		name string
	}
	itemExpr  struct{ x, index expression }
	sliceExpr struct{ x, from, to, step expression } // each bound may be nil
	callExpr  struct {
		fn   expression
		args argumentExprs
	}
	filterExpr struct {
		x    expression
		name string
		args argumentExprs
	}
	testExpr struct {
		x    expression
		name string
		not  bool
		args argumentExprs
	}

	// blockText is the text of the block that a filter or set block captured.
	blockText struct{}
)

// argumentExprs are the arguments of a call, filter or test.
type argumentExprs struct {
	positional []expression
	names      []string
	named      []expression
}
