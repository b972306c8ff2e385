package api

import (
	"maps"
	"slices"
	"strings"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/state"
)

// defaultPage is the items of a page that names no limit.
const defaultPage = 20

// page reads the parameters that lists share: after, limit from 1 to most, and
// order, which is asc or desc.
func (c *call) page(order string, most int) (state.Page, error) {
	return c.pageOf(order, defaultPage, most)
}

// pageOf is page for a list whose pages have another number of items than
// defaultPage, unless the request says how many.
func (c *call) pageOf(order string, normal, most int) (state.Page, error) {
	query := c.URL.Query()
	p := state.Page{After: query.Get("after")}
	var err error
	if p.Limit, err = c.count("limit", normal, most); err != nil {
		return p, err
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

// onlyQuery refuses parameters of the address other than the names, and than
// metadata[key] where metadata is one of them.
func (c *call) onlyQuery(names ...string) error {
	for _, name := range slices.Sorted(maps.Keys(c.URL.Query())) {
		if key, _, _ := strings.Cut(name, "["); !slices.Contains(names, name) && (key != "metadata" || !slices.Contains(names, key)) {
			return openai.Refuse(name, "unknown_parameter", "Unknown parameter: '%s'. Supported parameters are: '%s'.", name, strings.Join(names, "', '"))
		}
	}
	return nil
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
