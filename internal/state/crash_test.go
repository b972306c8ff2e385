package state

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// TestMain lets this test program play the process that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "add-keys-until-killed" {
		addKeysUntilKilled(os.Args[2])
	}
	os.Exit(m.Run())
}

// addKeysUntilKilled prints a key's hash input once the key is acknowledged.
func addKeysUntilKilled(dir string) {
	s, err := Open(context.Background(), dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	tenant, _ := s.DefaultTenant(context.Background())
	for {
		secret := NewID("sk-proj-")
		err := s.AddKey(context.Background(), Key{ID: NewID("key_"), Tenant: tenant, Hash: s.HashKey(secret)})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(secret)
	}
}

// Every key that was acknowledged before a kill -9 is in force after it, also
// when the kill falls into the making of the folder itself.
func TestKilledWhileAddingKeys(t *testing.T) {
	dir := t.TempDir()
	var acknowledged []string
	for _, before := range []int{0, 1, 3, 20} {
		child := exec.Command(os.Args[0], "add-keys-until-killed", dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 0; n < before && lines.Scan(); n++ {
			acknowledged = append(acknowledged, lines.Text())
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() { // what it still said before it died counts as well
			acknowledged = append(acknowledged, lines.Text())
		}
		child.Wait()

		s := open(t, dir)
		for _, secret := range acknowledged {
			if _, err := s.KeyByHash(t.Context(), s.HashKey(secret)); err != nil {
				t.Errorf("key %s was acknowledged and is gone: %v", secret, err)
			}
		}
	}
	if len(acknowledged) < 24 {
		t.Errorf("only %d keys were acknowledged", len(acknowledged))
	}
}
