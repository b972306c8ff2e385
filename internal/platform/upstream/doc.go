// Package upstream carries requests to other servers that speak OpenAI's API:
// it chooses which of them answers, tries again where that can help, and hands
// over the answer as it came, once its first byte is there.
//
// # Terms
//
// A server is one base URL with a key. It serves the names that its patterns
// match, under those names or, where it renames them, under its own. A request
// makes attempts: the servers of the lowest priority number first, those of one
// number in an order drawn by their weights, then the next number's.
//
//	try a server ── answered ─────────────────────▶ the first byte is handed over
//	     │
//	     ├─ the request is at fault (400, 413, …) ─▶ its error
//	     ├─ the server cannot do it (401, 404, …) ─▶ the next server
//	     └─ it fails, or is too busy ──────────────▶ the next server; after the
//	                                                 last, back off and go round
//
// A round of back-off waits a random time (full jitter: Brooker 2015,
// "Exponential backoff and jitter") and at least as long as Retry-After says.
//
// # Health
//
// Each server has a circuit breaker that counts its failures: what keeps it
// from answering, not what it says of a request. It opens after five in a row,
// or when half of at least twenty requests within thirty seconds have failed;
// an open breaker lets nothing through. After fifteen seconds it is half open:
// one request is let through, whose success closes it and whose failure opens
// it again. A server may be probed, so that it is a probe and not a user's
// request that finds out. A model that answers 429 rests as long as it asked
// for. Requests beyond a server's concurrent ones are not queued.
//
// # Promises
//
// A server is asked at most 1 + Server.Retries times, for the second time only
// within Options.Patience, and none is once a byte has been handed over. Texts
// go to the servers' hosts and nowhere else: no redirect is followed. Keys and
// the values of extra headers are taken out of everything that a server says.
// What is read of an answer is bounded. A Pool is safe for concurrent use.
//
// What requests and answers mean is not known here; package inference puts the
// answers in our shape and charges them.
package upstream
