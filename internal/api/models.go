package api

import (
	"errors"
	"net/http"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/inference"
)

func (a *api) listModels(c *call) error {
	return c.reply(http.StatusOK, openai.ModelList{Object: "list", Data: a.Inference.Models(c.Context())})
}

func (a *api) retrieveModel(c *call) error {
	model, err := a.Inference.Model(c.Context(), c.PathValue("model"))
	if err != nil {
		return modelInPath(err)
	}
	return c.reply(http.StatusOK, model)
}

// errNotDeletable means that a model is not one that a caller has made.
var errNotDeletable = errors.New("only fine-tuned models can be deleted")

func (a *api) deleteModel(c *call) error {
	if _, err := a.Inference.Model(c.Context(), c.PathValue("model")); err != nil {
		return modelInPath(err)
	}
	return errNotDeletable
}

// pathModelError is an *inference.ModelNotFoundError about the name in the
// address, of which the API speaks in other words than of one in a body.
type pathModelError struct{ *inference.ModelNotFoundError }

func modelInPath(err error) error {
	if missing, ok := errors.AsType[*inference.ModelNotFoundError](err); ok {
		return &pathModelError{missing}
	}
	return err
}
