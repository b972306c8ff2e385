package vector

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/ragstone/ragstone/vector/internal/payload"
)

// Batch is writes that happen together: all of them, or, if the machine stops
// in the middle or one is refused, none. The zero value is empty. A Batch is
// not safe for concurrent use.
type Batch struct {
	steps []func(*transaction) error
}

// Upsert adds points, replacing those with the same namespace and ID. The
// points must not change before Write returns.
func (b *Batch) Upsert(points ...Point) {
	b.steps = append(b.steps, func(t *transaction) error { return t.upsert(points) })
}

// Delete removes points.
func (b *Batch) Delete(sel Selection) {
	b.steps = append(b.steps, func(t *transaction) error { return t.delete(sel) })
}

// Update changes the payloads of points.
func (b *Batch) Update(sel Selection, p Patch) {
	b.steps = append(b.steps, func(t *transaction) error { return t.update(sel, p) })
}

// Selection names points of one namespace: by ID, by filter, or, with both,
// those of the IDs that the filter holds for. With neither it names the whole
// namespace.
type Selection struct {
	Namespace string
	IDs       []ID
	Filter    *Filter
}

// IDs selects points of the namespace "" by their IDs.
func IDs(ids ...ID) Selection { return Selection{IDs: append([]ID{}, ids...)} }

// Where selects the points of the namespace "" that a filter holds for.
func Where(f *Filter) Selection { return Selection{Filter: f} }

// Patch is a change of payloads. Keys are top-level keys.
type Patch struct {
	// Replace drops the payload that was there.
	Replace bool
	// Remove drops these keys.
	Remove []string
	// Set gives keys new values, after Remove.
	Set Payload
}

// Upsert adds points, replacing those with the same namespace and ID. All of
// them are there when it returns nil, and none if it returns an error that
// wraps ErrInvalid.
func (c *Collection) Upsert(ctx context.Context, points ...Point) error {
	_, err := c.write(ctx, func(t *transaction) error { return t.upsert(points) })
	return err
}

// Delete removes points and returns how many there were.
func (c *Collection) Delete(ctx context.Context, sel Selection) (int, error) {
	return c.write(ctx, func(t *transaction) error { return t.delete(sel) })
}

// Update changes the payloads of points and returns how many it changed.
func (c *Collection) Update(ctx context.Context, sel Selection, p Patch) (int, error) {
	return c.write(ctx, func(t *transaction) error { return t.update(sel, p) })
}

// Write does the steps of a batch in their order, as one.
func (c *Collection) Write(ctx context.Context, b *Batch) error {
	_, err := c.write(ctx, func(t *transaction) error {
		for _, step := range b.steps {
			if err := step(t); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// transaction collects the changes of one write while c.writer is held. Later
// steps see the earlier ones' changes.
type transaction struct {
	c       *Collection
	data    []byte            // the log record
	pending map[string][]byte // by key: the new record, nil for a deletion
	count   int               // points changed
}

// The record of a write in the log is its changes: a kind, the key with its
// length, and for an upsert the point's record with its length.
const (
	opUpsert byte = 1
	opDelete byte = 2
)

func (t *transaction) put(key, record []byte) {
	t.data = append(t.data, opUpsert)
	t.data = appendBytes(t.data, key)
	t.data = appendBytes(t.data, record)
	t.pending[string(key)] = record
	t.count++
}

func (t *transaction) remove(key []byte) {
	t.data = append(t.data, opDelete)
	t.data = appendBytes(t.data, key)
	t.pending[string(key)] = nil
	t.count++
}

func (t *transaction) upsert(points []Point) error {
	l := t.c.layout.Load()
	for i := range points {
		p := &points[i]
		err := errors.Join(p.ID.validate(), validateNamespace(p.Namespace))
		var record []byte
		if err == nil {
			record, err = l.encodePoint(nil, p)
		}
		if err != nil {
			return invalid("upsert point %v (%d of %d): %w", p.ID, i+1, len(points), err)
		}
		t.put(appendKey(nil, p.Namespace, p.ID), record)
	}
	return nil
}

func (t *transaction) delete(sel Selection) error {
	return t.each(sel, func(key []byte, _ record) error {
		t.remove(key)
		return nil
	})
}

func (t *transaction) update(sel Selection, p Patch) error {
	if _, err := encodePayload(p.Set); err != nil {
		return invalid("update: %w", err)
	}
	return t.each(sel, func(key []byte, r record) error {
		body, err := p.apply(r.payload)
		if err != nil {
			return fmt.Errorf("update: %w", err)
		}
		t.put(key, t.c.layout.Load().encodeRecord(body, r))
		return nil
	})
}

// apply returns the payload that a patch makes of another.
func (p Patch) apply(old payload.Value) (payload.Value, error) {
	merged := Payload{}
	if !p.Replace && len(old) > 0 {
		decoded, err := old.Decode()
		if err != nil {
			return nil, err
		}
		merged, _ = decoded.(map[string]any)
	}
	for _, key := range p.Remove {
		delete(merged, key)
	}
	for key, value := range p.Set {
		merged[key] = value
	}
	return encodePayload(merged)
}

// encodeRecord returns a record with another payload and the same vectors.
func (l *layout) encodeRecord(body payload.Value, r record) []byte {
	data := appendBytes(nil, body)
	for number, stored := range r.fields {
		if stored != nil {
			data = appendBytes(binary.AppendUvarint(data, uint64(number)+1), stored)
		}
	}
	return data
}

// each calls visit with the selected points as they are now, in the order of
// their keys or of the IDs given.
func (t *transaction) each(sel Selection, visit func(key []byte, r record) error) error {
	if err := validateNamespace(sel.Namespace); err != nil {
		return invalid("%w", err)
	}
	match, err := sel.Filter.optional()
	if err != nil {
		return invalid("filter: %w", err)
	}
	keys, err := t.selected(sel)
	if err != nil {
		return err
	}
	for _, key := range keys {
		r, ok := t.current(key)
		if !ok {
			continue
		}
		if match != nil && !match(matched{string(key), r.payload}) {
			continue
		}
		if err := visit(key, r); err != nil {
			return err
		}
	}
	return nil
}

// selected returns the keys of points that a selection may name; the caller
// checks the filter again.
func (t *transaction) selected(sel Selection) ([][]byte, error) {
	if sel.IDs != nil {
		keys := make([][]byte, len(sel.IDs))
		for i, id := range sel.IDs {
			if err := id.validate(); err != nil {
				return nil, invalid("%w", err)
			}
			keys[i] = appendKey(nil, sel.Namespace, id)
		}
		return keys, nil
	}
	s := t.c.latest()
	defer s.Close()
	keys, err := s.keys(sel.Namespace, sel.Filter)
	if err != nil {
		return nil, err
	}
	for key := range t.pending { // points that earlier steps brought or changed
		if namespace, _, _ := parseKey([]byte(key)); namespace == sel.Namespace {
			keys = append(keys, []byte(key))
		}
	}
	slices.SortFunc(keys, bytes.Compare)
	return slices.CompactFunc(keys, bytes.Equal), nil
}

// current returns a point as the transaction sees it.
func (t *transaction) current(key []byte) (record, bool) {
	l := t.c.layout.Load()
	if data, ok := t.pending[string(key)]; ok {
		if data == nil {
			return record{}, false
		}
		r, err := l.parseRecord(data)
		return r, err == nil
	}
	return t.c.find(key)
}

// find returns the newest version of a point. The caller holds c.writer.
func (c *Collection) find(key []byte) (record, bool) {
	if v := c.active.find(string(key), endless); v != nil {
		return v.record, true
	}
	view := c.view.current
	for i := len(view.frozen) - 1; i >= 0; i-- {
		if v := view.frozen[i].find(string(key), endless); v != nil {
			return v.record, true
		}
	}
	for i := len(view.segments) - 1; i >= 0; i-- {
		if row, ok := view.segments[i].find(key, endless); ok {
			return view.segments[i].record(row), true
		}
	}
	return record{}, false
}

// kill ends the newest version of a point, if there is one.
func (c *Collection) kill(key []byte, seq uint64) {
	if v := c.active.find(string(key), endless); v != nil {
		v.died.Store(seq)
		return
	}
	view := c.view.current
	for i := len(view.frozen) - 1; i >= 0; i-- {
		if v := view.frozen[i].find(string(key), endless); v != nil {
			v.died.Store(seq)
			return
		}
	}
	for i := len(view.segments) - 1; i >= 0; i-- {
		if row, ok := view.segments[i].find(key, endless); ok {
			view.segments[i].deaths.mark(row, seq)
			return
		}
	}
}

// change is one change of a write: a point's new record, or its deletion.
type change struct {
	key     []byte
	record  record
	deleted bool
}

// changes parses the record of a write.
func (l *layout) changes(data []byte, yield func(change)) error {
	for rest := data; len(rest) > 0; {
		kind := rest[0]
		key, after, ok := cutBytes(rest[1:])
		if !ok || kind != opUpsert && kind != opDelete {
			return fmt.Errorf("a change of kind %d cannot be read", kind)
		}
		if _, _, ok := parseKey(key); !ok {
			return fmt.Errorf("a change has the key %x", key)
		}
		if rest = after; kind == opDelete {
			yield(change{key: key, deleted: true})
			continue
		}
		content, after, ok := cutBytes(rest)
		if !ok {
			return fmt.Errorf("a point runs beyond the end")
		}
		r, err := l.parseRecord(content)
		if err != nil {
			return err
		}
		yield(change{key: key, record: r})
		rest = after
	}
	return nil
}

// checkWrite checks the record of a write.
func (l *layout) checkWrite(data []byte) error {
	var problems []error
	err := l.changes(data, func(c change) {
		if !c.deleted {
			problems = append(problems, l.checkFields(c.record))
		}
	})
	return errors.Join(append(problems, err)...)
}

// apply makes the changes of a write in memory: all, or with an error none.
func (c *Collection) apply(seq uint64, data []byte) error {
	var changes []change
	if err := c.layout.Load().changes(data, func(ch change) { changes = append(changes, ch) }); err != nil {
		return fmt.Errorf("write %d: %w", seq, err)
	}
	before := c.active.bytes.Load()
	for _, ch := range changes {
		c.kill(ch.key, seq)
		if !ch.deleted {
			c.active.add(string(ch.key), ch.record, seq)
		}
	}
	c.db.memory.Add(c.active.bytes.Load() - before)
	return nil
}

// write plans, logs, applies and publishes a write, and returns how many points
// it changed.
func (c *Collection) write(ctx context.Context, plan func(*transaction) error) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := c.makeRoom(ctx); err != nil {
		return 0, err
	}
	count, seq, err := c.append(plan)
	if err != nil || seq == 0 {
		return 0, err
	}
	return count, c.await(seq)
}

// append plans, logs and applies a write; seq is zero if nothing changed.
func (c *Collection) append(plan func(*transaction) error) (count int, seq uint64, err error) {
	c.writer.Lock()
	defer c.writer.Unlock()
	if err := c.writable(); err != nil {
		return 0, 0, err
	}
	t := &transaction{c: c, pending: map[string][]byte{}}
	if err := plan(t); err != nil || len(t.data) == 0 {
		return 0, 0, err
	}
	if limit := c.db.options.MaxBytes / 2; int64(len(t.data)) > limit {
		return 0, 0, fmt.Errorf("a write of %d bytes, and MaxBytes %d allows %d: %w", len(t.data), c.db.options.MaxBytes, limit, ErrFull)
	}
	seq = c.applied.Load() + 1
	if err := c.log.Append(seq, c.durable.Load(), t.data); err != nil {
		return 0, 0, fmt.Errorf("collection %q: %w", c.name, err)
	}
	if err := c.apply(seq, t.data); err != nil {
		panic("vector: a write that was just encoded cannot be read: " + err.Error())
	}
	c.applied.Store(seq)
	c.view.applied(c.active.rows)
	return t.count, seq, nil
}

// writable says why the collection takes no writes. The caller holds c.writer.
func (c *Collection) writable() error {
	if c.closed {
		return fmt.Errorf("collection %q: %w", c.name, ErrClosed)
	}
	c.sync.Lock()
	defer c.sync.Unlock()
	return c.failed
}

// await returns once a write is as durable as the options promise, and shows it
// to readers. Whoever comes first flushes for all that wait.
func (c *Collection) await(seq uint64) error {
	if c.db.options.SyncEvery != 0 {
		c.view.publish(seq)
		return nil
	}
	c.sync.Lock()
	defer c.sync.Unlock()
	if c.durable.Load() >= seq {
		return nil
	}
	return c.flushLog()
}

// flushLog flushes what has been applied and publishes it. The caller holds
// c.sync.
func (c *Collection) flushLog() error {
	if c.failed != nil {
		return c.failed
	}
	seq := c.applied.Load()
	if err := c.log.Sync(); err != nil {
		c.failed = fmt.Errorf("collection %q: flush %s: %w: %w", c.name, c.logPath, err, ErrReadOnly)
		return c.failed
	}
	c.durable.Store(seq)
	c.view.publish(seq)
	return nil
}
