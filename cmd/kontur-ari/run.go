package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/directory"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/redirect"
	"kontur-ari/bridge/store"
	"kontur-ari/bridge/tracker"
	"kontur-ari/configs"
	"kontur-ari/crm"
)

// runDaemon is the life of the daemon, from start to a signal's orderly stop. A
// signal that comes while it starts is one as well. hangups are only logged.
func runDaemon(parent context.Context, cfg configs.Config, warnings []configs.Warning, hangups <-chan os.Signal, stderr io.Writer) error {
	log, err := newLogger(cfg.Log, stderr)
	if err != nil {
		return unusableConfig{err}
	}
	defer logSIGHUP(hangups, log)()
	signalled, forget := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	defer forget()
	for _, warning := range warnings {
		log.Warn("configuration", zap.String("warning", warning.String()))
	}
	log.Info("starting", zap.String("version", versionLine()), zap.String("node", cfg.Node))
	line, err := assemble(signalled, cfg, log)
	if err != nil {
		if signalled.Err() != nil && errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	line.start(cfg)

	tellSystemd(log, daemon.SdNotifyReady)
	<-signalled.Done()
	forget() // a second signal ends the process at once
	log.Info("stopping", zap.Duration("within", cfg.ShutdownTimeout))
	tellSystemd(log, daemon.SdNotifyStopping)

	bounded, cancel := context.WithTimeout(context.WithoutCancel(parent), cfg.ShutdownTimeout)
	defer cancel()
	err = line.stop(bounded)
	log.Info("stopped", zap.Bool("orderly", err == nil))
	return err
}

// assemble acquires what the line needs, top to bottom, each thing followed by
// its undoing for the case that a later one can't be had.
func assemble(ctx context.Context, cfg configs.Config, log *zap.Logger) (_ *line, err error) {
	l := &line{log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, l.release())
		}
	}()
	people, err := directoryOf(cfg)
	if err != nil {
		return nil, err
	}
	if l.db, err = store.Open(ctx, cfg.Storage.Directory); err != nil {
		return nil, err
	}
	l.db.TellDamage(func(damage store.Damage) { logDamage(log.Named("store"), damage) })
	tr, err := restoreTracker(ctx, people, cfg, l.db, log)
	if err != nil {
		return nil, err
	}
	if l.client, err = newClient(cfg, log); err != nil {
		return nil, unusableConfig{err}
	}
	// A request takes a few others at most: for an access key, and once more with that.
	l.doubtWithin = cfg.Delivery.CollapseAfter + 4*cfg.Kontur.RequestTimeout
	l.dispatcher = delivery.New(l.db, l.client, deliveryConfig(cfg), log.Named("delivery"))
	l.intake = intake.New(tr, l.db, l.dispatcher.Wake, log.Named("intake"))
	l.intake.Bound(cfg.Storage.MemoryMaxSize.Bytes())
	heard, err := l.db.LastHeard(ctx)
	if err != nil {
		return nil, err
	}
	l.heardBefore = heard
	if l.switcher, err = ari.NewSwitch(ariConfig(cfg)); err != nil {
		return nil, unusableConfig{err}
	}
	if l.redirector, err = newRedirector(cfg, l.client, l.db, l.switcher, log.Named("redirect")); err != nil {
		return nil, err
	}
	if l.commander, err = newCommander(cfg, people, l); err != nil {
		return nil, err
	}
	l.intake.Act(l.commander.Act)
	if l.courier, err = newCourier(cfg, l); err != nil {
		return nil, err
	}
	if l.source, err = newSource(cfg, heard, l.redirector, log); err != nil {
		return nil, unusableConfig{err}
	}
	l.intake.Follow(l.source)
	if l.server, err = newServer(cfg, l); err != nil {
		return nil, err
	}
	if l.stopAdmin, err = serveAdmin(cfg.Admin.Listen, l.admin(), log.Named("admin")); err != nil {
		return nil, err
	}
	return l, nil
}

func restoreTracker(ctx context.Context, people *directory.Directory, cfg configs.Config, db *store.Store, log *zap.Logger) (*tracker.Tracker, error) {
	open, ended, err := db.OpenCalls(ctx)
	if err != nil {
		return nil, err
	}
	recorded, err := makePolicy(cfg)
	if err != nil {
		return nil, err
	}
	tr := tracker.New(people, tracker.Policy{
		ReportInternal: cfg.Calls.ReportInternal, Application: cfg.Asterisk.Application, Recordings: cfg.Recordings.Enabled, Make: recorded,
	})
	if unreadable, ok := errors.AsType[*tracker.UnreadableCallsError](tr.Restore(open, ended)); ok {
		log.Error("some calls in progress can't be taken up again", zap.Error(unreadable))
		gone := bridge.Batch{Gone: unreadable.Calls}
		_, err := db.Commit(ctx, gone)
		if errors.Is(err, bridge.ErrStoreReplaced) {
			_, err = db.Commit(ctx, gone)
		}
		if err != nil {
			return nil, err
		}
	}
	calls, _ := tr.Open()
	log.Info("calls in progress restored", zap.Int("calls", calls))
	return tr, nil
}

func newClient(cfg configs.Config, log *zap.Logger) (*crm.Client, error) {
	prefix := ""
	if cfg.Kontur.SharedWorkspace {
		prefix = cfg.Node
	}
	return crm.New(crm.Config{
		BaseURL:           cfg.Kontur.BaseURL,
		Workspace:         cfg.Kontur.Workspace,
		APIKey:            cfg.Kontur.APIKey,
		IntegrationSecret: cfg.Kontur.IntegrationSecret,
		IntegrationID:     cfg.Kontur.IntegrationID,
		NodePrefix:        prefix,
		RequestTimeout:    cfg.Kontur.RequestTimeout,
		UserAgent:         "kontur-ari/" + version,
	}, log.Named("crm"))
}

func deliveryConfig(cfg configs.Config) delivery.Config {
	return delivery.Config{
		Connections: cfg.Kontur.Connections, FirstPause: cfg.Delivery.FirstPause,
		LongestPause: cfg.Delivery.LongestPause, CollapseAfter: cfg.Delivery.CollapseAfter,
	}
}

// ariConfig says where Asterisk is and who we are there.
func ariConfig(cfg configs.Config) ari.Config {
	return ari.Config{
		URL:         cfg.Asterisk.URL,
		Username:    cfg.Asterisk.Username,
		Password:    cfg.Asterisk.Password,
		Application: cfg.Asterisk.Application,
	}
}

func newSource(cfg configs.Config, heard time.Time, redirector *redirect.Redirector, log *zap.Logger) (*ari.Source, error) {
	config := ariConfig(cfg)
	config.LastHeard = heard
	config.OnChange = func(status ari.Status) {
		tellSystemd(log, "STATUS=Asterisk: "+string(status.State)+" "+status.Reason)
	}
	config.OnStasis = func(start ari.StasisStart) {
		if !start.Ordered() && !start.Listens() {
			redirector.Enter(callerOf(start))
		}
	}
	return ari.NewSource(config, log.Named("ari"))
}
