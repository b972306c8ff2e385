package account

import (
	"github.com/ragstone/ragstone/internal/state"
)

// Accounts are all that this package knows of one store. Its parts share what
// they remember of it.
type Accounts struct {
	Keys         *Keys
	Limiter      *Limiter
	Books        *Books
	Organization *Organization
}

// New returns the accounts kept in store. Projects may use models at rates,
// where no others are stored.
func New(store *state.Store, rates Rates) *Accounts {
	d := &directory{store: store}
	keys := &Keys{store, d}
	limiter := NewLimiter(rates)
	limiter.directory = d
	if store.Shared() {
		limiter.shared = store
	}
	return &Accounts{
		Keys:         keys,
		Limiter:      limiter,
		Books:        &Books{store: store, directory: d, list: builtinPrices()},
		Organization: &Organization{store, keys, limiter},
	}
}
