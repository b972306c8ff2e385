package vector

import (
	"sync/atomic"

	"github.com/RoaringBitmap/roaring/v2"
)

// deaths says when rows of a sealed segment were deleted or replaced: at the
// write with the sequence number at(row), or not yet (zero). One writer marks,
// any number of readers look, and nobody waits.
//
// A reader asks for the rows that were alive at its snapshot. Most often every
// death is older than the snapshot; then the bits suffice. The order of stores
// in mark, and of loads in alive, makes that safe: whoever sees a bit sees last
// raised to its death.
type deaths struct {
	rows  int
	last  atomic.Uint64 // the latest death
	count atomic.Int64
	bits  []atomic.Uint64
	pages []atomic.Pointer[deathPage] // nil: nobody died there
}

type deathPage [deathPageRows]atomic.Uint64

const deathPageRows = 1024

func newDeaths(rows int) *deaths {
	return &deaths{
		rows:  rows,
		bits:  make([]atomic.Uint64, (rows+63)/64),
		pages: make([]atomic.Pointer[deathPage], (rows+deathPageRows-1)/deathPageRows),
	}
}

// at returns when a row died, zero if it lives.
func (d *deaths) at(row int) uint64 {
	page := d.pages[row/deathPageRows].Load()
	if page == nil {
		return 0
	}
	return page[row%deathPageRows].Load()
}

// mark notes the death of a living row.
func (d *deaths) mark(row int, seq uint64) {
	page := d.pages[row/deathPageRows].Load()
	if page == nil {
		page = new(deathPage)
		d.pages[row/deathPageRows].Store(page)
	}
	page[row%deathPageRows].Store(seq)
	if seq > d.last.Load() {
		d.last.Store(seq)
	}
	d.bits[row/64].Or(1 << (row % 64))
	d.count.Add(1)
}

// visible reports whether a row was alive at a snapshot.
func (d *deaths) visible(row int, seq uint64) bool {
	died := d.at(row)
	return died == 0 || died > seq
}

// alive returns the rows that were alive at a snapshot as a bit map, nil if all
// were.
func (d *deaths) alive(seq uint64) []uint64 {
	if d.count.Load() == 0 {
		return nil
	}
	words := make([]uint64, len(d.bits))
	for i := range words {
		words[i] = ^d.bits[i].Load()
	}
	if rest := d.rows % 64; rest != 0 {
		words[len(words)-1] &= 1<<rest - 1
	}
	if d.last.Load() > seq {
		d.each(func(row int, died uint64) {
			if died > seq {
				words[row/64] |= 1 << (row % 64)
			}
		})
	}
	return words
}

// each calls visit with every dead row, in order.
func (d *deaths) each(visit func(row int, died uint64)) {
	for i := range d.pages {
		page := d.pages[i].Load()
		if page == nil {
			continue
		}
		for j := range page {
			if died := page[j].Load(); died != 0 {
				visit(i*deathPageRows+j, died)
			}
		}
	}
}

// until returns the rows that died up to a write.
func (d *deaths) until(seq uint64) *roaring.Bitmap {
	dead := roaring.New()
	d.each(func(row int, died uint64) {
		if died <= seq {
			dead.Add(uint32(row))
		}
	})
	return dead
}
