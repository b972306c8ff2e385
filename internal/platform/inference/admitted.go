package inference

import "context"

// admittedKey is where WithAdmitted keeps its function in a context.
type admittedKey struct{}

// WithAdmitted returns a context for one request to write text. Once the request
// has been let in, before it waits for its model, f is called with what is known
// of its answer, by the goroutine that made the request.
func WithAdmitted(ctx context.Context, f func(Head)) context.Context {
	return context.WithValue(ctx, admittedKey{}, f)
}

func tellAdmitted(ctx context.Context, head Head) {
	if f, ok := ctx.Value(admittedKey{}).(func(Head)); ok {
		f(head)
	}
}

// attemptKey is where WithAttempt keeps an id in a context.
type attemptKey struct{}

// WithAttempt returns a context for a request that is an attempt of the given id
// (state.Store.BeginAttempt): it is charged unless an earlier one was.
func WithAttempt(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, attemptKey{}, id)
}

func attemptOf(ctx context.Context) string {
	id, _ := ctx.Value(attemptKey{}).(string)
	return id
}
