// Package server puts the parts of `ragstone serve` together and runs them.
//
// Open is a list of constructors in the order of the floors: state, keys, the
// address to listen on, models, inference, routes. The address comes before the
// models because a busy port is found in a millisecond and loading takes
// seconds. Close undoes them in reverse. Serve answers until its context ends,
// then drains: it takes no new connections, lets running answers finish for a
// while, and ends the rest with an error that says why.
//
// Keys guard every request. On a loopback address the first start makes a key,
// which Notice.FirstKey shows once. Any other address is refused while no key
// is in force, so that nobody opens a server to a network before there is a key
// to lock it with.
//
// GET /metrics has the operator's counters in Prometheus' format, for callers on
// this machine and for admin keys. Spans of requests go to a collector that the
// configuration names, and nowhere without one.
//
// While it serves, jobs are done (package state keeps them): files, stored
// completions and attempts expire, and the contents of files that have ended are
// deleted.
//
// A Server's methods are safe for concurrent use, except that Serve runs once.
// What lasts is in package state; the rate limits' buckets are memory and full
// after a restart.
//
// A certificate in files makes the server speak TLS 1.2 and later, with HTTP/2;
// the files are read again when they change. Connections beyond a number are
// refused. There is no second listener.
package server
