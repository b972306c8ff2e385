package openai

// Model is a name that requests may ask for.
type Model struct {
	ID      string `json:"id"`
	Created int64  `json:"created"`
	Object  string `json:"object"` // model
	OwnedBy string `json:"owned_by"`
}

// ModelList is the answer to GET /models.
type ModelList struct {
	Object string  `json:"object"` // list
	Data   []Model `json:"data"`
}
