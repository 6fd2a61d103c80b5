// Package daemon joins one Asterisk to Kontur.CRM. It makes the parts of the whole,
// starts and stops them in order, and serves their health.
//
// Events run from the event source through the intake and the store to the delivery;
// commands run from the server through the commander to Asterisk. [New] acquires
// everything. [Daemon.Start] begins with the health and the delivery and ends with the
// server; [Daemon.Stop] goes the other way, within shutdown_timeout (run.go of
// cmd/kontur-ari).
//
// By file: order.go is the order of start and stop, acquire.go makes the parts, parts.go and
// undo.go start and stop them. health.go, readiness.go and admin.go answer probes;
// systemd.go talks to the service manager; damage.go ends the process whose store is
// damaged. commands.go, deliver.go, redirect.go and recordings.go connect these parts.
package daemon
