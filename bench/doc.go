// Command bench measures kontur-ari against yardsticks of the same machine and the
// same moment, and prints each figure as a ratio of the two: what a disk or a
// processor can do differs from machine to machine, and on a shared one from minute
// to minute.
//
// The yardsticks are the rate at which the disk flushes, the rate at which HTTP
// requests get through the loopback interface, and a program that keeps nothing: a
// websocket in, net/http out, the same requests (direct.go). Rounds of yardstick and
// subject alternate, and the ratio is the median of the rounds' ratios.
//
// This process plays Asterisk and the CRM for both, and takes the times: it writes an
// event and sees the request that comes of it, on one clock. The daemon and the
// yardstick program are processes of their own.
package main
