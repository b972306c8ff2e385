// Package account knows who is calling, how much they may do, and what it
// costs: keys and what they may be used for, projects and service accounts,
// rate limits, prices, budgets and the ledger.
//
// # Keys
//
// A key is a prefix that tells what it is for and 48 random letters and digits:
// sk-proj-… and sk-svcacct-… use a project's models, for a person or a program;
// sk-admin-… administers the organization. It is shown once, when it is made;
// what is stored is its HMAC-SHA256 under the installation's secret. A key may
// expire, and may be held to reading or to some scopes (scope.go). Every
// request asks the store for its revision, one small query, and reads what it is
// held to anew when that has changed. So a key's revocation, a limit or a budget
// holds from the next request on, also when another process made it.
//
// # Limits
//
// A project has, for each model and kind of use, buckets of requests and of
// tokens that refill continuously up to a minute's worth (a token bucket; the
// API calls the two rates RPM and TPM), and one of requests up to a day's worth
// where that is limited (RPD). Reserve takes a request's upper bound before it
// runs; Settle gives back what it did not use. So no two requests spend the same
// tokens, and what the rate-limit headers say is the state of the buckets.
// Limits are stored; buckets live in memory and are full after a restart. Where
// servers share a database the buckets lie in it, and are full after its crash.
//
// # Money
//
// Amounts are integers of 10^-12 dollar. Books.Open holds the most a request
// may cost of the budgets that concern it, Bill.Settle writes what it did cost
// into the ledger with the object it paid for (docs/decisions/
// 0012-money-and-ledger.md). A token's price is the operator's or, for a model
// that runs elsewhere, that of the embedded list at the time (prices.json); what
// runs here costs nothing unless the operator says so, and is counted all the
// same. Usage sums up the ledger itself and so always agrees with it.
//
// All types here are safe for concurrent use, but for a Bill and a Reservation,
// which belong to their request.
package account
