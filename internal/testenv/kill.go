package testenv

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"testing"
)

// KillAfter runs this test program again with arguments, by which its TestMain
// plays a part, kills it once it has printed so many lines, and returns all the
// lines it printed. What it says on standard error is shown.
func KillAfter(tb testing.TB, lines int, arguments ...string) (said []string) {
	tb.Helper()
	child := exec.Command(os.Args[0], arguments...)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := child.Start(); err != nil {
		tb.Fatal(err)
	}
	scanner := bufio.NewScanner(out)
	for len(said) < lines && scanner.Scan() {
		said = append(said, scanner.Text())
	}
	if err := child.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		tb.Fatal(err)
	}
	for scanner.Scan() { // what it still said before it died counts as well
		said = append(said, scanner.Text())
	}
	_ = child.Wait() // it was killed
	return said
}
