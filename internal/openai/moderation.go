package openai

import "encoding/json"

// DefaultModerationModel is the model of a moderation request that names none.
const DefaultModerationModel = "omni-moderation-latest"

// ModerationRequest is the body of POST /moderations. What is to be judged is
// left to the model's server.
type ModerationRequest struct {
	Model    string // DefaultModerationModel where the request names none
	HasInput bool
	Body     Body
}

// UnmarshalJSON decodes a request; an error is a *RequestError.
func (r *ModerationRequest) UnmarshalJSON(data []byte) error {
	return decode(data, func(o *object) {
		*r = ModerationRequest{Model: DefaultModerationModel, Body: Body{o.value}}
		if model := o.text("model"); model != nil {
			r.Model = *model
		}
		v := o.take("input")
		switch {
		case v == nil:
		case v.kind == text:
			r.HasInput = true
		case v.kind != array:
			o.failType("input", "one of a string, array of strings, or array of objects", v)
		case len(v.kids) == 0:
			o.state.fail(Refuse("input", CodeEmptyArray, "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array instead."))
		default:
			r.HasInput = true
		}
	})
}

// Moderation is the answer to a moderation request.
type Moderation struct{ Relayed json.RawMessage }

func (m *Moderation) relayed() json.RawMessage { return m.Relayed }
