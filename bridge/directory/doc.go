// Package directory says who is behind an endpoint ([Directory]) and gives telephone
// numbers their one form ([Numbers]). It is pure, and its values are immutable and
// safe for concurrent use.
package directory
