//go:build !windows

package testenv

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Postgres is a PostgreSQL server for tests, which listens on a Unix socket in
// a folder of its own. It ends with the test program, however that ends.
type Postgres struct {
	dir      string
	bin      string // folder of its programs
	settings []string
	server   *exec.Cmd
	as       *syscall.SysProcAttr
	watch    io.Closer // closed by the end of this program alone

	mu        sync.Mutex
	databases int
}

// fast are settings for data that need not survive the machine. What PostgreSQL
// takes for flushed is the same.
var fast = []string{"fsync=off", "full_page_writes=off"}

// shared is the server of the test program.
var shared struct {
	sync.Mutex
	server *Postgres
}

// SharedPostgres returns the PostgreSQL server of this test program, which the
// first call starts. Without the programs of PostgreSQL the test ends.
func SharedPostgres(tb testing.TB) *Postgres {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		shared.server = startPostgres(tb)
	}
	return shared.server
}

// OwnPostgres starts a PostgreSQL server for one test, with settings such as
// "wal_writer_delay=10s".
func OwnPostgres(tb testing.TB, settings ...string) *Postgres {
	tb.Helper()
	p := startPostgres(tb, settings...)
	tb.Cleanup(func() { p.Stop(tb, syscall.SIGQUIT) })
	return p
}

func startPostgres(tb testing.TB, settings ...string) *Postgres {
	tb.Helper()
	p := &Postgres{bin: postgresPrograms(tb), settings: append(fast, settings...), as: &syscall.SysProcAttr{Setpgid: true}}
	var err error
	if p.dir, err = os.MkdirTemp("", "pg"); err != nil {
		tb.Fatal(err)
	}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		uid, gid := unprivileged(tb)
		p.as.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(p.dir, uid, gid); err != nil {
			tb.Fatal(err)
		}
	}
	p.run(tb, "initdb", "-D", p.data(), "-U", "ragstone", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	p.endWithProgram(tb)
	p.Start(tb)
	return p
}

// postgresPrograms finds the folder of initdb and postgres.
func postgresPrograms(tb testing.TB) string {
	tb.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // Debian's place
	slices.SortFunc(found, func(a, b string) int { return postgresVersion(a) - postgresVersion(b) })
	if path, err := exec.LookPath("postgres"); err == nil && len(found) == 0 {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			found = []string{path}
		}
	}
	if len(found) == 0 {
		absent(tb, "PostgreSQL is not installed: apt-get install postgresql (its programs are looked for in PATH and /usr/lib/postgresql)")
	}
	return filepath.Dir(found[len(found)-1])
}

func postgresVersion(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

func unprivileged(tb testing.TB) (uid, gid int) {
	tb.Helper()
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ = strconv.Atoi(u.Uid)
			gid, _ = strconv.Atoi(u.Gid)
			return uid, gid
		}
	}
	tb.Fatal("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
	return 0, 0
}

func (p *Postgres) data() string { return filepath.Join(p.dir, "data") }

// command is one of PostgreSQL's programs.
func (p *Postgres) command(name string, arguments ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(p.bin, name), arguments...)
	c.Dir, c.SysProcAttr = p.dir, p.as
	return c
}

func (p *Postgres) run(tb testing.TB, name string, arguments ...string) {
	tb.Helper()
	if out, err := p.command(name, arguments...).CombinedOutput(); err != nil {
		tb.Fatalf("%s %s: %v\n%s", name, strings.Join(arguments, " "), err, out)
	}
}

// Start starts the server again after Stop, and waits until it answers.
func (p *Postgres) Start(tb testing.TB) {
	tb.Helper()
	arguments := []string{"-D", p.data(), "-k", p.dir, "-c", "listen_addresses=", "-c", "max_connections=200"}
	for _, s := range p.settings {
		arguments = append(arguments, "-c", s)
	}
	log, err := os.OpenFile(filepath.Join(p.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	p.server = p.command("postgres", arguments...)
	p.server.Stdout, p.server.Stderr = log, log
	if err := p.server.Start(); err != nil {
		tb.Fatal(err)
	}
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		if p.command("pg_isready", "-q", "-h", p.dir).Run() == nil {
			return
		}
		if time.Since(begun) > time.Minute {
			said, _ := os.ReadFile(log.Name())
			tb.Fatalf("PostgreSQL does not answer:\n%s", said)
		}
	}
}

// Stop ends the server by a signal, as PostgreSQL's manual lists them: SIGINT
// ends its sessions and flushes, SIGQUIT is a crash.
func (p *Postgres) Stop(tb testing.TB, signal syscall.Signal) {
	tb.Helper()
	if err := p.server.Process.Signal(signal); err != nil {
		tb.Fatal(err)
	}
	p.server.Wait()
}

// LosePower stops the server as a loss of its machine's power does: of its log
// nothing is left that had not been flushed when LosePower was called. (Its data
// files never hold what its log has not, but for what is written in the next
// milliseconds: turn bgwriter_lru_maxpages to 0.)
func (p *Postgres) LosePower(tb testing.TB) {
	tb.Helper()
	query := p.command("psql", "-h", p.dir, "-U", "ragstone", "-d", "postgres", "-At", "-F", " ", "-c", "SELECT * FROM pg_walfile_name_offset(pg_current_wal_flush_lsn())")
	out, err := query.Output()
	var name string
	var flushed int64
	if _, scan := fmt.Sscan(string(out), &name, &flushed); err != nil || scan != nil {
		tb.Fatalf("ask how far the log is flushed: %v, %q", err, out)
	}
	p.Stop(tb, syscall.SIGQUIT)
	path := filepath.Join(p.data(), "pg_wal", name)
	info, err := os.Stat(path)
	if err != nil {
		tb.Fatal(err)
	}
	log, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	if _, err := log.WriteAt(make([]byte, info.Size()-flushed), flushed); err != nil {
		tb.Fatal(err)
	}
}

// endWithProgram leaves a process behind that ends the server when this program
// has ended, which its standard input tells.
func (p *Postgres) endWithProgram(tb testing.TB) {
	tb.Helper()
	watch := exec.Command("sh", "-c", `read _; kill -QUIT $(head -1 "$0/data/postmaster.pid"); sleep 1; rm -rf "$0"`, p.dir)
	watch.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if p.watch, err = watch.StdinPipe(); err != nil {
		tb.Fatal(err)
	}
	if err := watch.Start(); err != nil {
		tb.Fatal(err)
	}
}

// Database makes an empty database and returns its URL.
func (p *Postgres) Database(tb testing.TB) string {
	tb.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.databases++
	name := fmt.Sprintf("test%d", p.databases)
	p.run(tb, "createdb", "-h", p.dir, "-U", "ragstone", name)
	return "postgres://ragstone@/" + name + "?host=" + p.dir
}
