package sdk

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestJavaScript runs ../js/sdk.mjs, whose packages it installs first, in a
// folder that a run leaves nothing behind in.
func TestJavaScript(t *testing.T) {
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, program+" is not installed: the JavaScript SDK is not run. Install Node 20 or newer to run it.")
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "sdk.mjs"} {
		data, err := os.ReadFile(filepath.Join("..", "js", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run(t, dir, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	run(t, dir, []string{"RAGSTONE_LIMITED_KEY=" + limitedKey(t)}, "node", "sdk.mjs")
}

// run runs a program in a folder, with the server's address and key, and more, in
// its environment.
func run(t *testing.T, dir string, more []string, command ...string) {
	t.Helper()
	c := exec.Command(command[0], command[1:]...)
	c.Dir, c.Env = dir, append(append(os.Environ(), "OPENAI_BASE_URL="+baseURL, "OPENAI_API_KEY="+apiKey), more...)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
}
