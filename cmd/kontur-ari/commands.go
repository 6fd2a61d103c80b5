package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/bridge/commander"
	"kontur-ari/bridge/directory"
	"kontur-ari/configs"
	"kontur-ari/crm/server"
)

// newCommander makes what obeys the CRM, for a line that has everything before it.
func newCommander(cfg configs.Config, people *directory.Directory, l *line) (*commander.Commander, error) {
	numbers, err := numbersOf(cfg)
	if err != nil {
		return nil, err
	}
	phones := ari.Phones{Switch: l.switcher, Application: cfg.Asterisk.Application, Context: cfg.Calls.OriginateContext}
	return commander.New(commander.Config{
		Application: cfg.Asterisk.Application,
		Directory:   people,
		Numbers:     numbers,
		Allowed: func(number string) bool {
			return slices.ContainsFunc(cfg.Calls.AllowedNumbers, func(pattern configs.Pattern) bool { return pattern.Match(number) })
		},
		PerMinute:   cfg.Calls.CallsPerMinute,
		AtOnce:      cfg.Calls.CallsAtOnce,
		RingTimeout: cfg.Calls.OriginateTimeout,
		AutoAnswer:  cfg.Calls.AutoAnswer,
		// The source is made later than this, and earlier than the first order.
		Now: func() time.Time { return l.source.Now() },
	}, l.intake, l.db, phones, l.log.Named("commander")), nil
}

// newServer makes what takes the CRM's commands; nil where it is switched off.
func newServer(cfg configs.Config, l *line) (*server.Server, error) {
	if cfg.Server.Listen == "" {
		return nil, nil
	}
	return server.New(server.Config{
		Listen:          cfg.Server.Listen,
		BasePath:        cfg.Server.BasePath,
		Workspace:       cfg.Kontur.Workspace,
		TLSCert:         cfg.Server.TLSCert,
		TLSKey:          cfg.Server.TLSKey,
		AllowedNetworks: cfg.Server.AllowedNetworks,
		TrustedProxies:  cfg.Server.TrustedProxies,
	}, l.client, l.commander, server.Hooks{}, l.log.Named("server"))
}

// flowingEvery is the pause between two looks whether Asterisk is heard.
const flowingEvery = 100 * time.Millisecond

// recoverOrders settles the orders that the last process left behind, once a snapshot
// has shown which phones ring. It returns when that is done, or ctx ends.
func (l *line) recoverOrders(ctx context.Context) {
	ticker := time.NewTicker(flowingEvery)
	defer ticker.Stop()
	for l.source.Status().State != ari.Flowing {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
	l.commander.Recover(ctx)
}

// serve takes commands until stopServing is called.
func (l *line) serve() {
	if l.server == nil {
		return
	}
	l.serverDone = make(chan error, 1)
	go func() {
		err := l.server.Run()
		if err != nil {
			l.log.Error("commands are taken no more", zap.Error(err))
		}
		l.serverDone <- err
	}()
}

// stopServing refuses new commands and waits for those under way until ctx ends.
func (l *line) stopServing(ctx context.Context) error {
	if l.serverDone == nil {
		return nil
	}
	return errors.Join(l.server.Shutdown(ctx), wait(ctx, l.serverDone, "the server"))
}

// commandDetails is how the CRM's commands go, for the person who looks.
func (l *line) commandDetails() map[string]any {
	obeyed := l.commander.Stats()
	details := map[string]any{"repeated": obeyed.Repeated, "untold": obeyed.Untold, "callsFailed": l.intake.Stats().Failed}
	if l.server != nil {
		taken := l.server.Stats()
		details["calls"], details["hangups"], details["webhooks"] = taken.Calls, taken.Hangups, taken.Webhooks
		details["refused"], details["failed"], details["rejected"] = taken.Refused, taken.Failed, taken.Rejected
		details["checks"], details["failedChecks"] = taken.Checks, taken.FailedChecks
	}
	return details
}
