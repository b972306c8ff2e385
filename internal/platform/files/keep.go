package files

import (
	"context"
	"time"

	"github.com/ragstone/ragstone/internal/state"
)

const (
	// epoch is the age from which a blob that no row names belongs to nobody: no
	// request lives as long.
	epoch = 24 * time.Hour

	expireEvery = time.Minute
	sweepEvery  = 6 * time.Hour

	// atOnce is how many files or uploads end in one transaction.
	atOnce = 100

	// endedLife is how long uploads are remembered, for answers that say how they
	// ended.
	endedLife = 30 * 24 * time.Hour
)

// expireFiles is the job that ends files and uploads whose time is over.
type expireFiles struct{}

func (expireFiles) Kind() string { return "expire_files" }

// sweepBlobs is the job that deletes blobs which no row names.
type sweepBlobs struct{}

func (sweepBlobs) Kind() string { return "sweep_blobs" }

// Workers do the jobs of files.
func (s *Service) Workers() []state.Worker {
	return []state.Worker{
		state.Does(s.drop),
		state.Repeats[expireFiles](expireEvery, s.Expire),
		state.Repeats[sweepBlobs](sweepEvery, s.Sweep),
	}
}

// drop deletes the blobs of rows that have ended.
func (s *Service) drop(ctx context.Context, job state.DropBlobs) error {
	for _, key := range job.Keys {
		if err := s.bucket.Delete(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// Expire ends the files and uploads whose time is over. Each step is a
// transaction that leaves the rest for the next, so who is stopped in between
// goes on with a further call.
func (s *Service) Expire(ctx context.Context) error {
	for _, end := range []func(context.Context, time.Time, int) (int, error){s.rows.DeleteExpiredFiles, s.rows.ExpireUploads} {
		for n := atOnce; n == atOnce; {
			var err error
			if n, err = end(ctx, s.now(), atOnce); err != nil {
				return err
			}
		}
	}
	return s.rows.DeleteUploadsBefore(ctx, s.now().Add(-endedLife))
}

// Sweep deletes the blobs in the names of our projects that no row names and
// whose epoch is over.
func (s *Service) Sweep(ctx context.Context) error {
	projects, err := s.rows.ProjectIDs(ctx)
	if err != nil {
		return err
	}
	before := s.now().Add(-epoch)
	for _, project := range projects {
		for page, err := range s.bucket.List(ctx, project+"/") {
			if err != nil {
				return err
			}
			var old []string
			for _, b := range page {
				if b.ModTime.Before(before) {
					old = append(old, b.Key)
				}
			}
			unnamed, err := s.rows.UnnamedBlobs(ctx, old)
			if err != nil {
				return err
			}
			if err := s.drop(ctx, state.DropBlobs{Keys: unnamed}); err != nil {
				return err
			}
		}
	}
	return nil
}
