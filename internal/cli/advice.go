package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/ragstone/ragstone/internal/gguf"
	"github.com/ragstone/ragstone/internal/safetensors"
	"github.com/ragstone/ragstone/internal/state"
	"github.com/ragstone/ragstone/llm"
)

// advise adds to an error what the user can do about it, unless it says so in
// a line of its own already; what is wrong with a model may take several.
func (a *app) advise(err error) error {
	_, isModel := errors.AsType[*llm.OpenError](err)
	if err == nil || strings.Contains(err.Error(), "\n") && !isModel {
		return err
	}
	if advice := a.advice(err); advice != "" {
		return fmt.Errorf("%w\n%s", err, advice)
	}
	return err
}

func (a *app) advice(err error) string {
	_, tight := errors.AsType[*llm.MemoryError](err)
	_, isModel := errors.AsType[*llm.OpenError](err)
	_, badGGUF := errors.AsType[*gguf.FormatError](err)
	_, badSafetensors := errors.AsType[*safetensors.FormatError](err)
	path, isPath := errors.AsType[*fs.PathError](err)
	switch {
	case tight:
		return "Raise --max-memory (RAGSTONE_MAX_MEMORY), or name a smaller model or none with --model and --embedding-model."
	case badGGUF, badSafetensors:
		return "The file is damaged or no model: get it again, or name another model; `ragstone models` lists what can be had."
	case isModel && !isPath:
		return "The model is damaged, or of a kind that this version does not run: get it again, or name another; `ragstone models` lists what can be had."
	case state.IsFull(err):
		return "Make room, or set RAGSTONE_HOME to a folder on another disk. What was there before is unharmed."
	case isPath && strings.HasPrefix(path.Path, a.config.Home) && (errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)):
		return "Set RAGSTONE_HOME to a folder that you may write to."
	}
	return ""
}
