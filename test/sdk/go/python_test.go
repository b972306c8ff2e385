package sdk

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestPython runs the scripts of ../python: the official SDK, and two libraries on
// top of it.
func TestPython(t *testing.T) {
	python := pythonEnvironment(t)
	limited := []string{"RAGSTONE_LIMITED_KEY=" + limitedKey(t)}
	for _, script := range []string{"sdk.py", "with_instructor.py", "with_pydantic_ai.py"} {
		t.Run(script, func(t *testing.T) { run(t, filepath.Join("..", "python"), limited, python, script) })
	}
}

// pythonEnvironment returns the interpreter of a virtual environment with what
// requirements.txt names. It is kept in the user's cache, since installing takes
// a minute.
func pythonEnvironment(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("python3"); err != nil {
		missing(t, "python3 is not installed: the Python SDK is not run. Install Python 3.11 or newer with pip and venv to run it.")
	}
	requirements := filepath.Join("..", "python", "requirements.txt")
	text, err := os.ReadFile(requirements)
	if err != nil {
		t.Fatal(err)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(cache, "ragstone", fmt.Sprintf("sdk-python-%x", sha256.Sum256(text))[:24])
	python, whole := filepath.Join(dir, "bin", "python"), filepath.Join(dir, "whole")
	if _, err := os.Stat(whole); err == nil {
		return python
	}
	for _, command := range [][]string{
		{"python3", "-m", "venv", "--clear", dir},
		{python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			missing(t, fmt.Sprintf("the Python SDK is not run: %v: %v\n%s", command, err, out))
		}
	}
	if err := os.WriteFile(whole, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return python
}

// missing skips a test for want of a program, which CI must have.
func missing(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("CI") != "" {
		t.Fatal(why)
	}
	t.Skip(why)
}
