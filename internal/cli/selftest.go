package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ragstone/ragstone/internal/disk"
	"github.com/ragstone/ragstone/llm"
	"github.com/ragstone/ragstone/rag"
)

// measuredMethod is how the model answers best, tested once and remembered
// under the fingerprint of its weights.
func (a *app) measuredMethod(ctx context.Context, local *llm.Local) (rag.Method, error) {
	fingerprint, err := local.Fingerprint()
	if err != nil {
		return "", err
	}
	path := filepath.Join(a.config.Home, "selftest", filepath.Base(fingerprint)+".json")
	if test, ok := rememberedTest(path); ok {
		return test.Method, nil
	}
	test, err := a.testModel(ctx, local)
	if err != nil {
		return "", err
	}
	if err := rememberTest(path, test); err != nil {
		fmt.Fprintln(a.stderr, "could not remember the result:", err)
	}
	return test.Method, nil
}

// testModel asks the model the built-in questions and tells the outcome. A
// model without a chat template cannot be asked to write.
func (a *app) testModel(ctx context.Context, local *llm.Local) (rag.SelfTest, error) {
	fmt.Fprintf(a.stderr, "Testing once how %s answers best …\n", local.Info().Name)
	test, err := rag.RunSelfTest(ctx, local)
	if errors.Is(err, llm.ErrNoTemplate) {
		fmt.Fprintln(a.stderr, "It has no chat template: answers are made by extract.")
		return rag.SelfTest{Version: rag.SelfTestVersion, Method: rag.MethodExtract}, nil
	}
	if err != nil {
		return rag.SelfTest{}, err
	}
	fmt.Fprintf(a.stderr, "It wrote %d of %d test answers correctly: answers are made by %s.\n", test.Right, test.Asked, test.Method)
	return test, nil
}

// rememberedTest reads an earlier outcome; one of other questions is void.
func rememberedTest(path string) (rag.SelfTest, bool) {
	var test rag.SelfTest
	data, err := os.ReadFile(path)
	if err != nil || json.Unmarshal(data, &test) != nil {
		return test, false
	}
	return test, test.Version == rag.SelfTestVersion
}

func rememberTest(path string, test rag.SelfTest) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return disk.WriteFile(path, 0o600, func(w io.Writer) error { return json.NewEncoder(w).Encode(test) })
}
