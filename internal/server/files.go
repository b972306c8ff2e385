package server

import (
	"context"
	"path/filepath"

	"github.com/ragstone/ragstone/internal/blobs"
	"github.com/ragstone/ragstone/internal/config"
	"github.com/ragstone/ragstone/internal/platform/files"
)

// openFiles opens the contents of files, where the configuration says or else in
// the home.
func (s *Server) openFiles(ctx context.Context, c config.Config) (err error) {
	var bucket *blobs.Bucket
	if c.Blobs != "" {
		bucket, err = blobs.Open(ctx, c.Blobs)
	} else {
		bucket, err = blobs.OpenFolder(filepath.Join(c.Home, "blobs"))
	}
	if err != nil {
		return err
	}
	s.onClose(bucket.Close)
	s.files = files.New(s.state, bucket, files.Options{MaxProjectBytes: c.MaxProjectFiles})
	return nil
}
