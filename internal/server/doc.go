// Package server puts the parts of `ragstone serve` together and runs them.
//
// Open is a list of constructors in the order of the floors: state, keys,
// models, inference, routes, and the address to listen on. Close undoes them in
// reverse. Serve answers until its context ends, then drains: it takes no new
// connections, lets running answers finish for a while, and ends the rest with
// an error that says why.
//
// Keys guard every request. On a loopback address the first start makes a key,
// which Notice.FirstKey shows once. Any other address is refused while no key
// is in force, so that nobody opens a server to a network before there is a key
// to lock it with.
package server
