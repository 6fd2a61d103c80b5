package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
	"kontur-ari/configs"
	"kontur-ari/crm"
)

const (
	// pruneEvery is the pause between two removals of old journal entries.
	pruneEvery = 10 * time.Minute
	// authoriseEvery is the pause between two tries to reach the CRM at the start.
	authoriseEvery = 30 * time.Second
)

// runDaemon is the life of the daemon: what it needs is acquired in one line,
// top to bottom, each thing followed by its undoing; a signal ends it.
func runDaemon(parent context.Context, cfg configs.Config, warnings []configs.Warning, stderr io.Writer) (err error) {
	log, err := newLogger(cfg.Log, stderr)
	if err != nil {
		return err
	}
	signalled, forget := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	defer forget()
	for _, warning := range warnings {
		log.Warn("configuration", zap.String("warning", warning.String()))
	}
	log.Info("starting", zap.String("version", versionLine()), zap.String("node", cfg.Node))

	directory, err := directoryOf(cfg)
	if err != nil {
		return err
	}
	db, err := store.Open(signalled, cfg.Storage.Directory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()

	tracker, err := restoreTracker(signalled, directory, cfg, db, log)
	if err != nil {
		return err
	}
	client, err := newClient(cfg, log)
	if err != nil {
		return unusableConfig{err}
	}
	defer client.Close()

	line := &line{log: log, db: db, client: client}
	line.dispatcher = delivery.New(db, client, cfg.Kontur.Connections, log.Named("delivery"))
	line.intake = intake.New(tracker, db, line.dispatcher.Wake, log.Named("intake"))
	if line.source, err = newSource(cfg, log); err != nil {
		return unusableConfig{err}
	}
	stopAdmin, err := serveAdmin(cfg.Admin.Listen, line.admin(), log.Named("admin"))
	if err != nil {
		return err
	}
	line.start(cfg.Storage.JournalKeep)

	tellSystemd(log, daemon.SdNotifyReady)
	<-signalled.Done()
	forget() // a second signal ends the process at once
	log.Info("stopping", zap.Duration("within", cfg.ShutdownTimeout))
	tellSystemd(log, daemon.SdNotifyStopping)

	bounded, cancel := context.WithTimeout(context.WithoutCancel(parent), cfg.ShutdownTimeout)
	defer cancel()
	err = errors.Join(line.stop(bounded), stopAdmin(bounded))
	log.Info("stopped", zap.Error(err))
	return err
}

func restoreTracker(ctx context.Context, directory *bridge.Directory, cfg configs.Config, db *store.Store, log *zap.Logger) (*bridge.Tracker, error) {
	open, ended, err := db.OpenCalls(ctx)
	if err != nil {
		return nil, err
	}
	tracker := bridge.NewTracker(directory, bridge.Policy{ReportInternal: cfg.Calls.ReportInternal})
	if err := tracker.Restore(open, ended); err != nil {
		log.Error("some calls in progress are lost", zap.Error(err))
	}
	log.Info("calls in progress restored", zap.Int("calls", len(open)))
	return tracker, nil
}

func newClient(cfg configs.Config, log *zap.Logger) (*crm.Client, error) {
	prefix := ""
	if cfg.Kontur.SharedWorkspace {
		prefix = cfg.Node
	}
	return crm.New(crm.Config{
		BaseURL:           cfg.Kontur.BaseURL,
		Workspace:         cfg.Kontur.Workspace,
		APIKey:            crm.NewSecret(cfg.Kontur.APIKey.Reveal()),
		IntegrationSecret: crm.NewSecret(cfg.Kontur.IntegrationSecret.Reveal()),
		NodePrefix:        prefix,
		RequestTimeout:    cfg.Kontur.RequestTimeout,
		UserAgent:         "kontur-ari/" + version,
	}, log.Named("crm"))
}

func newSource(cfg configs.Config, log *zap.Logger) (*ari.Source, error) {
	return ari.NewSource(ari.Config{
		URL:         cfg.Asterisk.URL,
		Username:    cfg.Asterisk.Username,
		Password:    ari.Secret(cfg.Asterisk.Password.Reveal()),
		Application: cfg.Asterisk.Application,
		OnChange: func(status ari.Status) {
			tellSystemd(log, "STATUS=Asterisk: "+string(status.State)+" "+status.Reason)
		},
	}, log.Named("ari"))
}

// line is the event line from the switch to the CRM while it runs.
type line struct {
	log        *zap.Logger
	db         *store.Store
	client     *crm.Client
	source     *ari.Source
	intake     *intake.Intake
	dispatcher *delivery.Dispatcher

	running, taking, delivering context.CancelFunc
	sourceDone                  chan error
	intakeDone                  chan error
	deliveryDone                chan error
	background                  sync.WaitGroup
}

// start sets the parts to work, the last of the line first, so that each finds
// its successor there.
func (l *line) start(keep time.Duration) {
	run := func(part func(context.Context) error) (context.CancelFunc, chan error) {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- part(ctx) }()
		return cancel, done
	}
	l.delivering, l.deliveryDone = run(l.dispatcher.Run)
	l.taking, l.intakeDone = run(l.intake.Run)
	ctx, cancel := context.WithCancel(context.Background())
	l.running = cancel
	l.sourceDone = make(chan error, 1)
	go func() { l.sourceDone <- l.source.Run(ctx, l.intake.Put) }()
	l.background.Go(func() { watchdog(ctx, l.log, l.alive) })
	l.background.Go(func() { l.prune(ctx, keep) })
	l.background.Go(func() { l.authorise(ctx) })
}

// stop ends the line in the order in which events run through it: no new ones,
// then those that arrived are stored, then what is ready is delivered as far as
// ctx allows. What is left waits in the outbox for the next start.
func (l *line) stop(ctx context.Context) error {
	l.running()
	sourceErr := wait(ctx, l.sourceDone, "the event source")
	l.background.Wait()
	l.taking()
	intakeErr := wait(ctx, l.intakeDone, "the store")
	// Requests under way when time is up need a moment to be recorded.
	drain, cancel := context.WithTimeout(ctx, remaining(ctx)*8/10)
	l.dispatcher.Drain(drain)
	cancel()
	l.delivering()
	deliveryErr := wait(ctx, l.deliveryDone, "the delivery")
	return errors.Join(sourceErr, intakeErr, deliveryErr)
}

func remaining(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline()
	return time.Until(deadline)
}

func wait(ctx context.Context, done <-chan error, part string) error {
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("%s did not stop in time: %w", part, ctx.Err())
	}
}

// alive goes through every lock of the line.
func (l *line) alive() {
	l.intake.Stats()
	l.dispatcher.Stats()
	l.source.Status()
}

func (l *line) prune(ctx context.Context, keep time.Duration) {
	ticker := time.NewTicker(pruneEvery)
	defer ticker.Stop()
	for {
		if err := l.db.Prune(ctx, time.Now().Add(-keep)); err != nil && ctx.Err() == nil {
			l.log.Warn("old journal entries stay", zap.Error(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// authorise reaches out to the CRM before there is a call to report, so that a
// wrong key shows when the service is started and not with the first call.
func (l *line) authorise(ctx context.Context) {
	for l.client.Authorise(ctx) != nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(authoriseEvery):
		}
	}
}

// admin is what the health endpoints ask of the line.
func (l *line) admin() *admin {
	return &admin{
		healthy: l.db.Check,
		missing: func() []string {
			status := l.source.Status()
			if status.State == ari.Flowing {
				return nil
			}
			return []string{fmt.Sprintf("events from Asterisk (%s): %s", status.State, status.Reason)}
		},
		details: func() map[string]any {
			taken, delivered, crmState := l.intake.Stats(), l.dispatcher.Stats(), l.client.State()
			return map[string]any{
				"crm":    map[string]any{"authorised": crmState.Authorised, "reason": crmState.Reason},
				"events": taken.Events, "reports": taken.Reports, "openCalls": taken.OpenCalls,
				"delivered": delivered.Delivered, "refused": delivered.Refused, "retried": delivered.Retried,
				"waitingCalls": delivered.Waiting,
			}
		},
	}
}
