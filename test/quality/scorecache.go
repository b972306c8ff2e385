package main

import (
	"context"
	"crypto/sha256"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ragstone/ragstone/llm"
)

// scoreCache remembers what a scorer said, so that learning can be repeated
// with other features without running the model again. Times measured with it
// mean nothing.
type scoreCache struct {
	scorer llm.Scorer
	path   string
	known  map[[32]byte]llm.Scored
}

// openScoreCache reads what an earlier run saved.
func openScoreCache(path string, scorer llm.Scorer) (*scoreCache, error) {
	c := &scoreCache{scorer: scorer, path: path, known: map[[32]byte]llm.Scored{}}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := gob.NewDecoder(f).Decode(&c.known); err != nil {
		return nil, fmt.Errorf("read %s: %w; remove it to begin anew", path, err)
	}
	return c, nil
}

// Score implements llm.Scorer.
func (c *scoreCache) Score(ctx context.Context, req llm.ScoreRequest) ([]llm.Scored, error) {
	results := make([]llm.Scored, len(req.Items))
	missing := llm.ScoreRequest{MaxTokens: req.MaxTokens, End: req.End}
	var places []int
	for i, item := range req.Items {
		if known, ok := c.known[cacheKey(req, item)]; ok {
			results[i] = known
			continue
		}
		missing.Items = append(missing.Items, item)
		places = append(places, i)
	}
	if len(places) == 0 {
		return results, nil
	}
	scored, err := c.scorer.Score(ctx, missing)
	if err != nil {
		return nil, err
	}
	for i, s := range scored {
		results[places[i]] = s
		c.known[cacheKey(req, missing.Items[i])] = s
	}
	return results, nil
}

func cacheKey(req llm.ScoreRequest, item llm.ScoreItem) [32]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%d %q %q %q", req.MaxTokens, req.End, item.Prompt, item.Continuation))
}

// save writes the cache for the next run.
func (c *scoreCache) save() error {
	f, err := os.Create(c.path)
	if err != nil {
		return err
	}
	return errors.Join(gob.NewEncoder(f).Encode(c.known), f.Close())
}
