package api

import (
	"strconv"
	"strings"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/state"
)

// defaultPage is the items of a page that names no limit.
const defaultPage = 20

// page reads the parameters that lists share: after, limit from 1 to most, and
// order, which is asc or desc.
func (c *call) page(order string, most int) (state.Page, error) {
	query := c.URL.Query()
	p := state.Page{After: query.Get("after"), Limit: defaultPage}
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil:
			return p, openai.Refuse("limit", openai.CodeInvalidType, "Invalid type for 'limit': expected an integer, but got a string instead.")
		case n < 1:
			return p, openai.Refuse("limit", openai.CodeIntegerBelowMin, "Invalid 'limit': integer below minimum value. Expected a value >= 1, but got %d instead.", n)
		case n > most:
			return p, openai.Refuse("limit", openai.CodeIntegerAboveMax, "Invalid 'limit': integer above maximum value. Expected a value <= %d, but got %d instead.", most, n)
		}
		p.Limit = n
	}
	if text := query.Get("order"); text != "" {
		order = text
	}
	if order != "asc" && order != "desc" {
		return p, openai.InvalidValue("order", order, "asc", "desc")
	}
	p.Descending = order == "desc"
	return p, nil
}

// metadataQuery reads filters of the form metadata[key]=value.
func (c *call) metadataQuery() []openai.MetadataPair {
	var pairs []openai.MetadataPair
	for name, values := range c.URL.Query() {
		key, ok := strings.CutPrefix(name, "metadata[")
		if key, closed := strings.CutSuffix(key, "]"); ok && closed {
			pairs = append(pairs, openai.MetadataPair{Key: key, Value: values[0]})
		}
	}
	return pairs
}
