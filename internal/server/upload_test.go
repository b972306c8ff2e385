package server

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var uploadBytes = flag.Int64("upload", 128<<20, "how large the file is that arrives in parts")

// partBytes are as many as a part may have.
const partBytes = 64 << 20

// piece is the content of a part: its number, over and over. It is made as it is
// read, so that the test holds none of it.
type piece struct {
	number byte
	left   int64
}

func (p *piece) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.left)]
	for i := range b {
		b[i] = p.number
	}
	p.left -= int64(len(b))
	return len(b), nil
}

// pieces are the parts of a file.
func pieces(bytes int64) (parts []piece) {
	for ; bytes > 0; bytes -= partBytes {
		parts = append(parts, piece{byte(len(parts)), min(bytes, partBytes)})
	}
	return parts
}

// residentPeak is the most memory that a process has had at once.
func residentPeak(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	kilobytes, err := strconv.ParseInt(string(regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// A large file that arrives in parts, four at once, and goes again takes the
// server memory that does not grow with it.
func TestALargeUpload(t *testing.T) {
	if runtime.GOOS != "linux" || testing.Short() {
		t.Skip("sends much, and reads a process's memory in /proc")
	}
	c := fleetConfig(filepath.Join(t.TempDir(), "home"), "", newCounter(t).URL)
	store := openStore(t, c)
	key := newKey(t, store).Secret
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	server := startChild(t, c)
	defer server.kill()
	before := residentPeak(t, server.process.Process.Pid)

	upload := server.post(t, key, "/uploads", "application/json", strings.NewReader(fmt.Sprintf(`{"filename":"large","purpose":"user_data","mime_type":"text/plain","bytes":%d}`, *uploadBytes)))
	ids := make([]string, len(pieces(*uploadBytes)))
	var sending sync.WaitGroup
	turns := make(chan bool, 4)
	for i, p := range pieces(*uploadBytes) {
		turns <- true
		sending.Go(func() {
			defer func() { <-turns }()
			ids[i] = server.sendPart(t, key, upload.ID, p)
		})
	}
	sending.Wait()
	whole := md5.New()
	for _, p := range pieces(*uploadBytes) {
		io.Copy(whole, &p)
	}
	sum := hex.EncodeToString(whole.Sum(nil))
	named, _ := json.Marshal(map[string]any{"part_ids": ids, "md5": sum})
	done := server.post(t, key, "/uploads/"+upload.ID+"/complete", "application/json", bytes.NewReader(named))
	if done.File.Bytes != *uploadBytes {
		t.Fatalf("the file has %d bytes, want %d", done.File.Bytes, *uploadBytes)
	}
	content, status := server.get(t, key, "/files/"+done.File.ID+"/content", "")
	came := md5.New()
	n, err := io.Copy(came, content)
	if got := hex.EncodeToString(came.Sum(nil)); err != nil || status != 200 || got != sum {
		t.Errorf("the content: %d, %d bytes of checksum %s, %v; want %s", status, n, got, err, sum)
	}
	// A range across a seam.
	content, status = server.get(t, key, "/files/"+done.File.ID+"/content", fmt.Sprintf("bytes=%d-%d", partBytes-1, partBytes))
	if seam, err := io.ReadAll(content); err != nil || status != 206 || !bytes.Equal(seam, []byte{0, 1}) {
		t.Errorf("the bytes beside a seam: %d %v, %v; want 0 and 1", status, seam, err)
	}
	grown := residentPeak(t, server.process.Process.Pid) - before
	t.Logf("%d MB in %d parts: the server's memory grew by %d MB to %d MB", *uploadBytes>>20, len(ids), grown>>20, (before+grown)>>20)
	if grown > 32<<20 {
		t.Errorf("the server's memory grew by %d MB, want at most 32", grown>>20)
	}
}

// made is what the answers of uploads say.
type made struct {
	ID   string
	File struct {
		ID    string
		Bytes int64
	}
}

func (c *child) post(t *testing.T, key, address, kind string, body io.Reader) (answer made) {
	request, err := http.NewRequest(http.MethodPost, c.url+address, body)
	if err != nil {
		t.Error(err)
		return answer
	}
	request.Header.Set("Content-Type", kind)
	status, text := send(t, key, request)
	if status != 200 {
		t.Errorf("%s: %d %s", address, status, text)
		return answer
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Errorf("%s: %v", address, err)
	}
	return answer
}

func send(t *testing.T, key string, r *http.Request) (int, []byte) {
	r.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Error(err)
	}
	return answer.StatusCode, text
}

// sendPart sends a part of an upload and returns its id.
func (c *child) sendPart(t *testing.T, key, upload string, p piece) string {
	body, into := io.Pipe()
	form := multipart.NewWriter(into)
	go func() {
		file, err := form.CreateFormFile("data", "part")
		if err == nil {
			_, err = io.Copy(file, &p)
		}
		if err == nil {
			err = form.Close()
		}
		into.CloseWithError(err) // nil: the end
	}()
	return c.post(t, key, "/uploads/"+upload+"/parts", form.FormDataContentType(), body).ID
}

// get reads an address, or a range of what is there.
func (c *child) get(t *testing.T, key, address, part string) (io.Reader, int) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, c.url+address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	if part != "" {
		request.Header.Set("Range", part)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return answer.Body, answer.StatusCode
}
