// Package account knows who is calling and how much they may do: API keys and
// rate limits. Money, budgets and the ledger will join them here.
//
// # Keys
//
// A key is a prefix that tells what it is for and 48 random letters and digits:
// sk-proj-… uses a project's models, sk-admin-… administers the organization.
// It is shown once, when it is made; what is stored is its HMAC-SHA256 under
// the installation's secret. Every request looks its key up, so a revocation
// holds from the next request on, also when another process made it.
//
// # Limits
//
// A project has, for each model, a bucket of requests and a bucket of tokens
// that refill continuously up to a minute's worth (a token bucket; the API
// calls the two rates RPM and TPM). Reserve takes a request's upper bound
// before it runs; Settle gives back what it did not use. So no two requests
// spend the same tokens, and what the rate-limit headers say is the state of
// the buckets. Buckets live in memory and are full after a restart.
//
// All types here are safe for concurrent use.
package account
