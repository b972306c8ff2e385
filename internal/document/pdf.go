package document

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/klippa-app/go-pdfium"
	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

const (
	// pdfTimeout bounds one PDF, beside the caller's own deadline. Reading
	// takes some 20 ms a page.
	pdfTimeout = 5 * time.Minute

	// pdfMemoryPages bounds the memory of one PDFium, in WebAssembly's pages of
	// 64 KiB: 1 GiB.
	pdfMemoryPages = 1 << 14
)

// A pdfEngine is PDFium compiled to WebAssembly, made when the first PDF comes
// (docs/decisions/0003-pdf-text.md). The zero value is ready to use.
type pdfEngine struct {
	mu     sync.RWMutex // read-locked while a file is read; guards all below
	pool   pdfium.Pool
	cache  wazero.CompilationCache
	err    error // why the engine could not be made
	closed bool
}

var errEngineClosed = errors.New("read PDF: the parser is closed")

// start makes the engine unless it is there.
func (e *pdfEngine) start(cacheDir string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return errEngineClosed
	}
	if e.pool != nil || e.err != nil {
		return e.err
	}
	// A cache that cannot be made or written, on a full disk, costs time only.
	if e.cache = openPDFCache(cacheDir); e.cache != nil {
		if e.pool, e.err = newPDFPool(e.cache); e.err == nil {
			return nil
		}
		_ = e.cache.Close(context.Background())
		e.cache = nil
	}
	if e.pool, e.err = newPDFPool(nil); e.err != nil {
		e.err = fmt.Errorf("start PDFium: %w", e.err)
	}
	return e.err
}

// openPDFCache returns the cache in a folder, or nil.
func openPDFCache(dir string) wazero.CompilationCache {
	if dir == "" || os.MkdirAll(dir, 0o700) != nil {
		return nil
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil
	}
	return cache
}

// newPDFPool compiles PDFium, or takes it from the cache, which may be nil.
func newPDFPool(cache wazero.CompilationCache) (pdfium.Pool, error) {
	// Without WithCloseOnContextDone a PDF that sends PDFium round in circles
	// could not be stopped. Its checks make PDFium three times slower.
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(pdfMemoryPages).
		WithCloseOnContextDone(true)
	if cache != nil {
		config = config.WithCompilationCache(cache)
	}
	return webassembly.Init(webassembly.Config{
		Context:       experimental.WithCompilationWorkers(context.Background(), runtime.GOMAXPROCS(0)),
		MaxTotal:      runtime.GOMAXPROCS(0),
		MaxIdle:       1,
		FSConfig:      wazero.NewFSConfig(), // the default would show it the whole disk
		Stdout:        io.Discard,
		Stderr:        io.Discard,
		RuntimeConfig: config,
	})
}

// close frees the engine when the files being read are done.
func (e *pdfEngine) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil
	}
	e.closed = true
	var errs []error
	if e.pool != nil {
		errs = append(errs, e.pool.Close())
	}
	if e.cache != nil {
		errs = append(errs, e.cache.Close(context.Background()))
	}
	return errors.Join(errs...)
}

// parse reads one PDF in an instance of its own, so that whatever a file does
// to PDFium's memory ends with it.
func (e *pdfEngine) parse(ctx context.Context, cacheDir string, data []byte) (doc *Document, err error) {
	if err := e.start(cacheDir); err != nil {
		return nil, err
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.closed {
		return nil, errEngineClosed
	}
	ctx, cancel := context.WithTimeout(ctx, pdfTimeout)
	defer cancel()
	instance, err := e.pool.GetInstanceWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("read PDF: %w", cmpError(ctx.Err(), err))
	}
	killed := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(killed)
		_ = instance.Kill()
	})
	defer func() {
		if r := recover(); r != nil {
			doc, err = nil, fmt.Errorf("read PDF: PDFium gave up: %v", r)
		}
		if stop() {
			_ = instance.Close()
			return
		}
		<-killed
		doc, err = nil, fmt.Errorf("read PDF: it took too long: %w", ctx.Err())
	}()
	return readPDF(instance, data)
}

// cmpError prefers the reason to its consequence.
func cmpError(reason, consequence error) error {
	if reason != nil {
		return reason
	}
	return consequence
}

// readPDF reads all pages of a PDF.
func readPDF(p pdfium.Pdfium, data []byte) (*Document, error) {
	opened, err := p.OpenDocument(&requests.OpenDocument{File: &data})
	if err != nil {
		return nil, openError(err)
	}
	count, err := p.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: opened.Document})
	if err != nil {
		return nil, fmt.Errorf("read PDF: %w", err)
	}
	if count.PageCount > maxPages {
		return nil, fmt.Errorf("%w: %d pages, and the limit is %d", ErrTooLarge, count.PageCount, maxPages)
	}
	var layout pdfText
	var firstErr error
	for i := range count.PageCount {
		fragments, err := readPDFPage(p, opened.Document, i)
		if err != nil && firstErr == nil {
			firstErr = pageError(i+1, err)
		}
		layout.addPage(i+1, fragments)
	}
	doc := layout.document(metaTitle(p, opened.Document))
	if strings.TrimSpace(doc.Text) == "" {
		if firstErr != nil {
			return nil, firstErr
		}
		return nil, fmt.Errorf("%w: its pages are images or empty, and scans are not read", ErrNoText)
	}
	if len(doc.Text) > maxTextBytes {
		return nil, fmt.Errorf("%w: its text exceeds %d MB", ErrTooLarge, maxTextBytes>>20)
	}
	return doc, nil
}

func openError(err error) error {
	switch {
	case errors.Is(err, pdferrors.ErrPassword):
		return ErrEncrypted
	case errors.Is(err, pdferrors.ErrSecurity):
		return errors.New("read PDF: it is encrypted in a way that is not known")
	case errors.Is(err, pdferrors.ErrFormat), errors.Is(err, pdferrors.ErrFile):
		return errors.New("read PDF: the file is damaged or cut short")
	}
	return fmt.Errorf("read PDF: %w", err)
}

func pageError(number int, err error) error {
	if errors.Is(err, pdferrors.ErrPage) {
		return fmt.Errorf("read PDF: page %d is damaged", number)
	}
	return fmt.Errorf("read PDF: page %d: %w", number, err)
}

func metaTitle(p pdfium.Pdfium, doc references.FPDF_DOCUMENT) string {
	meta, err := p.FPDF_GetMetaText(&requests.FPDF_GetMetaText{Document: doc, Tag: "Title"})
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(meta.Value, "")), " ")
}
