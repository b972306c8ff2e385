//go:build unix

package catalog

import (
	"os/exec"
	"syscall"
)

// endWithChildren makes the end of the command's context interrupt the command
// and what it started: pip is often a script that starts the real one.
func endWithChildren(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
}
