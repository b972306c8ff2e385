package vector

// Statistics are figures about a collection.
type Statistics struct {
	Points     int   `json:"points"`      // living ones, in all namespaces
	Deleted    int   `json:"deleted"`     // dead ones that merges have not removed yet
	Segments   int   `json:"segments"`    // sealed ones
	Bytes      int64 `json:"bytes"`       // of segment files, mapped
	IndexBytes int64 `json:"index_bytes"` // of index files, mapped
	Memory     int64 `json:"memory"`      // of points that are not sealed yet
}

// Statistics returns figures about the collection as it is now.
func (c *Collection) Statistics() (Statistics, error) {
	return read(c, func(s *Snapshot) (st Statistics, err error) {
		for _, g := range s.view.segments {
			st.Segments++
			st.Points += g.rows
			if alive := g.deaths.alive(s.seq); alive != nil {
				dead := g.rows - rowSet(alive).count()
				st.Points, st.Deleted = st.Points-dead, st.Deleted+dead
			}
			st.Bytes += g.bytes
			if d := g.derived.Load(); d != nil {
				st.IndexBytes += d.bytes
			}
		}
		for _, m := range s.memory {
			st.Memory += m.bytes.Load()
			for _, v := range m.rows {
				if v.visible(s.seq) {
					st.Points++
				}
			}
		}
		return st, nil
	})
}
