package daemon

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/bridge/commander"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/redirect"
	"kontur-ari/bridge/store"
	"kontur-ari/configs"
	"kontur-ari/crm"
	"kontur-ari/crm/server"
	"kontur-ari/recordings"
)

// Options are what a Daemon needs besides its configuration. Both fields are required.
type Options struct {
	// Version is the program's version. It is sent to the CRM with each request.
	Version string
	Log     *zap.Logger
}

// Daemon is everything that runs between one Asterisk and the CRM. New makes it; Start
// is called once, and Stop once.
type Daemon struct {
	cfg configs.Config
	log *zap.Logger

	store      *store.Store
	client     *crm.Client
	switcher   *ari.Switch
	dispatcher *delivery.Dispatcher
	redirector *redirect.Redirector
	source     *ari.Source
	// courier is nil where recordings are switched off.
	courier   *recordings.Courier
	intake    *intake.Intake
	commander *commander.Commander
	// server is nil where commands are switched off.
	server *server.Server
	admin  *admin

	// lastHeard is when the process before this one heard Asterisk last; zero for never.
	lastHeard time.Time

	stages []stage
	undo   undoStack
	failed chan error
}

// Start starts the parts, each after those that it hands its work to, and reports to
// systemd that the daemon is ready. It waits neither for Asterisk nor for the CRM.
func (d *Daemon) Start() {
	for _, stage := range d.stages {
		stage.start(d.partFailed)
		d.undo.push(stage.share, stage.stop)
	}
	notifySystemd(d.log, daemon.SdNotifyReady)
}

// Failed returns a channel that receives the error of a part without which no event is
// stored or no report delivered. The daemon is of no use then and must be stopped.
func (d *Daemon) Failed() <-chan error { return d.failed }

// partFailed handles the error of a part that was not asked to end.
func (d *Daemon) partFailed(p *part, err error) {
	d.log.Error("a part has ended", zap.String("part", p.name), zap.Error(err))
	if p.vital {
		select {
		case d.failed <- err:
		default: // the first one is enough
		}
	}
}

// Stop stops the daemon in the order in which its work runs through it: no new commands
// and events, then the events that arrived are stored, then the reports that are ready
// are delivered. What is left waits in the outbox for the next start.
//
// It returns when ctx ends at the latest. Each step may take a share of the time that
// is left, so a part that hangs leaves some for those after it. The error names the
// parts that did not stop in time; they end with the process.
func (d *Daemon) Stop(ctx context.Context) error {
	notifySystemd(d.log, daemon.SdNotifyStopping)
	return d.undo.run(ctx)
}
