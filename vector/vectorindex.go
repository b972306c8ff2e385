package vector

import (
	"github.com/ragstone/ragstone/internal/index"
)

// buildVectorIndex returns the index over a column that pays, nil for a scan.
func buildVectorIndex(c *column, threads int) ([]byte, error) { return nil, nil }

// openVectorIndex reads what buildVectorIndex wrote.
func openVectorIndex(data []byte, c *column) (index.Index, error) { return nil, nil }
