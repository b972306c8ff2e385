package account

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/ragstone/ragstone/internal/state"
)

// directory is what requests are held to, as the store has it, in memory. It
// is read anew only when the store's revision has changed, which one small
// query tells, so that a change by any process holds from the next request on.
type directory struct {
	store *state.Store

	reading sync.Mutex // held while a snapshot is read
	last    atomic.Pointer[snapshot]
}

// snapshot is the state of one revision. Only keys grows.
type snapshot struct {
	revision int64
	keys     sync.Map // state.Key by its hash, as a string
	limits   map[limitKey]state.Limit
	budgeted map[string]bool // subjects of budgets
	prices   map[string][]state.Price
}

type limitKey struct{ organization, project, model string }

// refresh returns the snapshot of the store's revision.
func (d *directory) refresh(ctx context.Context) (*snapshot, error) {
	revision, err := d.store.Revision(ctx)
	if err != nil {
		return nil, err
	}
	if s := d.last.Load(); s != nil && s.revision == revision {
		return s, nil
	}
	d.reading.Lock()
	defer d.reading.Unlock()
	if s := d.last.Load(); s != nil && s.revision >= revision {
		return s, nil
	}
	s, err := d.read(ctx, revision)
	if err == nil {
		d.last.Store(s)
	}
	return s, err
}

// current returns the snapshot of the last refresh. A request refreshes it when
// it is authenticated.
func (d *directory) current(ctx context.Context) (*snapshot, error) {
	if s := d.last.Load(); s != nil {
		return s, nil
	}
	return d.refresh(ctx)
}

func (d *directory) read(ctx context.Context, revision int64) (*snapshot, error) {
	s := &snapshot{revision: revision, limits: map[limitKey]state.Limit{}, budgeted: map[string]bool{}, prices: map[string][]state.Price{}}
	limits, err := d.store.Limits(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range limits {
		s.limits[limitKey{l.OrganizationID, l.ProjectID, l.Model}] = l
	}
	subjects, err := d.store.BudgetSubjects(ctx)
	if err != nil {
		return nil, err
	}
	for _, id := range subjects {
		s.budgeted[id] = true
	}
	prices, err := d.store.Prices(ctx)
	if err != nil {
		return nil, err
	}
	for _, p := range prices {
		s.prices[p.Model] = append(s.prices[p.Model], p)
	}
	return s, nil
}

// key returns the key with a hash, in force or not.
func (d *directory) key(ctx context.Context, hash []byte) (state.Key, error) {
	s, err := d.refresh(ctx)
	if err != nil {
		return state.Key{}, err
	}
	if k, ok := s.keys.Load(string(hash)); ok {
		return k.(state.Key), nil
	}
	k, err := d.store.KeyByHash(ctx, hash)
	if err == nil { // only keys that exist, so strangers cannot fill it
		s.keys.Store(string(hash), k)
	}
	return k, err
}
