package api

import (
	"net/http"

	"github.com/ragstone/ragstone/internal/openai"
	"github.com/ragstone/ragstone/internal/platform/inference"
)

func (a *api) listStoredCompletions(c *call) error {
	if err := c.onlyQuery("model", "metadata", "after", "limit", "order"); err != nil {
		return err
	}
	page, err := c.page("asc", 100)
	if err != nil {
		return err
	}
	query := inference.StoredQuery{Model: c.URL.Query().Get("model"), Metadata: c.metadataQuery(), Page: page}
	list, err := a.Inference.ListStored(c.Context(), c.caller, query)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, list)
}

func (a *api) retrieveStoredCompletion(c *call) error {
	stored, err := a.Inference.Stored(c.Context(), c.caller, c.PathValue("id"))
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, stored)
}

func (a *api) updateStoredCompletion(c *call) error {
	var request openai.MetadataRequest
	if err := c.decode(&request); err != nil {
		return err
	}
	if !request.Given {
		return openai.Missing("metadata")
	}
	stored, err := a.Inference.UpdateStored(c.Context(), c.caller, c.PathValue("id"), request.Metadata)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, stored)
}

func (a *api) deleteStoredCompletion(c *call) error {
	id := c.PathValue("id")
	if err := a.Inference.DeleteStored(c.Context(), c.caller, id); err != nil {
		return err
	}
	return c.reply(http.StatusOK, openai.Deleted{Object: "chat.completion.deleted", ID: id, Deleted: true})
}

func (a *api) listStoredMessages(c *call) error {
	if err := c.onlyQuery("after", "limit", "order"); err != nil {
		return err
	}
	page, err := c.page("asc", 100)
	if err != nil {
		return err
	}
	list, err := a.Inference.StoredMessages(c.Context(), c.caller, c.PathValue("id"), page)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, list)
}
