package daemon

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"kontur-ari/ari"
	"kontur-ari/bridge/commander"
	"kontur-ari/bridge/directory"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
	"kontur-ari/crm/server"
	"kontur-ari/internal/retry"
)

// newCommander makes the part that carries out the commands of the CRM.
func newCommander(d *Daemon, people *directory.Directory) (*commander.Commander, error) {
	numbers, err := setup.Numbers(d.cfg)
	if err != nil {
		return nil, err
	}
	calls := d.cfg.Calls
	phones := ari.Phones{Switch: d.switcher, Application: d.cfg.Asterisk.Application, Context: calls.OriginateContext}
	return commander.New(commander.Config{
		Application: d.cfg.Asterisk.Application,
		Directory:   people,
		Numbers:     numbers,
		Allowed: func(number string) bool {
			return slices.ContainsFunc(calls.AllowedNumbers, func(pattern configs.Pattern) bool { return pattern.Match(number) })
		},
		PerMinute:   calls.CallsPerMinute,
		AtOnce:      calls.CallsAtOnce,
		RingTimeout: calls.OriginateTimeout,
		AutoAnswer:  calls.AutoAnswer,
		Now:         d.source.Now,
	}, d.intake, d.store, phones, d.log.Named("commander")), nil
}

// newServer makes the part that takes the CRM's commands; nil where it is switched off.
func newServer(d *Daemon) (*server.Server, error) {
	if d.cfg.Server.Listen == "" {
		return nil, nil
	}
	return server.New(server.Config{
		Listen:          d.cfg.Server.Listen,
		BasePath:        d.cfg.Server.BasePath,
		Workspace:       d.cfg.Kontur.Workspace,
		TLSCert:         d.cfg.Server.TLSCert,
		TLSKey:          d.cfg.Server.TLSKey,
		AllowedNetworks: d.cfg.Server.AllowedNetworks,
		TrustedProxies:  d.cfg.Server.TrustedProxies,
	}, d.client, d.commander, server.Hooks{}, d.log.Named("server"))
}

// serverPart takes commands until it is stopped; where that is switched off it does
// nothing.
func (d *Daemon) serverPart() *part {
	p := &part{name: "the server"}
	if d.server == nil {
		return p
	}
	p.run = func(context.Context) error {
		err := d.server.Run()
		if err != nil {
			d.log.Error("commands are taken no more", zap.Error(err))
		}
		return err
	}
	p.drain = d.server.Shutdown
	return p
}

// flowingEvery is the pause between two looks whether events of Asterisk flow.
const flowingEvery = 100 * time.Millisecond

// recoverClickToCalls settles the click-to-calls that the last process left behind, once
// a snapshot has shown which phones ring. It returns when that is done, or ctx ends.
func (d *Daemon) recoverClickToCalls(ctx context.Context) {
	for d.source.Status().State != ari.Flowing {
		if retry.Sleep(ctx, flowingEvery) != nil {
			return
		}
	}
	d.commander.Recover(ctx)
}

// commandDetails are what /readyz shows of the CRM's commands.
func (d *Daemon) commandDetails() map[string]any {
	obeyed := d.commander.Stats()
	details := map[string]any{"repeated": obeyed.Repeated, "untold": obeyed.Failed, "callsFailed": d.intake.Stats().Failed}
	if d.server != nil {
		taken := d.server.Stats()
		details["calls"], details["hangups"], details["webhooks"] = taken.Calls, taken.Hangups, taken.Webhooks
		details["refused"], details["failed"], details["rejected"] = taken.Refused, taken.Failed, taken.Rejected
		details["checks"], details["failedChecks"] = taken.Checks, taken.FailedChecks
	}
	return details
}
