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
			t.Skipf("%s is not installed: the JavaScript SDK is not run. Install Node 20 or newer to run it.", program)
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
	run(t, dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	run(t, dir, "node", "sdk.mjs")
}

func run(t *testing.T, dir string, command ...string) {
	t.Helper()
	c := exec.Command(command[0], command[1:]...)
	c.Dir, c.Env = dir, append(os.Environ(), "OPENAI_BASE_URL="+baseURL, "OPENAI_API_KEY="+apiKey)
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, out)
	}
}
