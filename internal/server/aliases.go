package server

import (
	"slices"

	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/internal/platform/inference"
)

// withAliases puts configured names over the built-in ones. A built-in name that
// is given another model keeps what it promises, such as its vocabulary.
func withAliases(builtIn []inference.Alias, configured []config.Alias) []inference.Alias {
	all := slices.Clone(builtIn)
	for _, c := range configured {
		i := slices.IndexFunc(all, func(a inference.Alias) bool { return a.Name == c.Name })
		if i >= 0 {
			all[i].Model, all[i].Configured = c.Model, true
		} else {
			all = append(all, inference.Alias{Name: c.Name, Model: c.Model, Configured: true})
		}
	}
	return all
}
