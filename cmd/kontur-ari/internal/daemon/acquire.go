package daemon

import (
	"context"
	"errors"

	"kontur-ari/ari"
	"kontur-ari/bridge"
	"kontur-ari/bridge/delivery"
	"kontur-ari/bridge/intake"
	"kontur-ari/bridge/store"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
)

// New acquires everything that the daemon needs, each thing followed by its undo. It
// contacts neither Asterisk nor the CRM. The ports are open when it returns. After an
// error nothing is held; a [*setup.UnusableError] is the configuration's fault. A Daemon
// must be stopped even if it was not started.
func New(ctx context.Context, cfg configs.Config, options Options) (_ *Daemon, err error) {
	d := &Daemon{cfg: cfg, log: options.Log, failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), cfg.ShutdownTimeout)
			defer cancel()
			err = errors.Join(err, d.undo.run(bounded))
		}
	}()

	people, err := setup.Directory(cfg)
	if err != nil {
		return nil, err
	}

	// The store refuses a second process on the same directory, so it comes first.
	if d.store, err = store.Open(ctx, cfg.Storage.Directory); err != nil {
		return nil, err
	}
	d.undo.push(1, closing("the store", d.store.Close))
	for _, damage := range d.store.Rescued() {
		logDamage(d.log.Named("store"), damage)
	}
	tr, err := setup.Tracker(ctx, people, cfg, d.store, d.log)
	if err != nil {
		return nil, err
	}
	if d.lastHeard, err = d.store.LastHeard(ctx); err != nil {
		return nil, err
	}

	// The ways to the two neighbours.
	if d.client, err = setup.Client(cfg, options.Version, d.log); err != nil {
		return nil, err
	}
	d.undo.push(shortly, closing("the CRM client", noError(d.client.Close)))
	if d.switcher, err = ari.NewSwitch(ariConfig(cfg)); err != nil {
		return nil, &setup.UnusableError{Err: err}
	}
	d.undo.push(shortly, closing("the switch", noError(d.switcher.Close)))

	// From the events of Asterisk to the requests to the CRM.
	d.dispatcher = delivery.New(d.store, d.client, deliveryConfig(cfg), d.log.Named("delivery"))
	if d.redirector, err = newRedirector(cfg, d.client, d.store, d.switcher, d.log.Named("redirect")); err != nil {
		return nil, err
	}
	redirecting := &part{name: "the redirector", drain: d.redirector.Stop}
	d.undo.push(shortly, redirecting.stop)
	d.source = newSource(d)
	if d.courier, err = newCourier(d); err != nil {
		return nil, err
	}
	d.intake = intake.New(tr, d.store, d.dispatcher.Wake, d.log.Named("intake"), intakeOptions(d)...)

	// From the commands of the CRM to Asterisk.
	if d.commander, err = newCommander(d, people); err != nil {
		return nil, err
	}
	commands := &part{name: "the commander", drain: closing("the commander", noError(d.commander.Close))}
	d.undo.push(shortly, commands.stop)
	if d.server, err = newServer(d); err != nil {
		return nil, err
	}
	serving := d.serverPart()
	d.undo.push(shortly, serving.stop)

	if d.admin, err = listenAdmin(cfg.Admin.Listen, d.probes(), d.log.Named("admin")); err != nil {
		return nil, err
	}
	health := &part{name: "health", run: d.admin.run, drain: d.admin.shutdown}
	d.undo.push(shortly, health.stop)

	d.stages = d.arrange(health, commands, redirecting, serving)
	return d, nil
}

// ariConfig returns where Asterisk is and who we are there.
func ariConfig(cfg configs.Config) ari.Config {
	return ari.Config{
		URL:         cfg.Asterisk.URL,
		Username:    cfg.Asterisk.Username,
		Password:    cfg.Asterisk.Password,
		Application: cfg.Asterisk.Application,
	}
}

func newSource(d *Daemon) *ari.Source {
	config := ari.SourceConfig{LastHeard: d.lastHeard}
	config.OnChange = func(status ari.Status) {
		notifySystemd(d.log, "STATUS=Asterisk: "+string(status.State)+" "+status.Reason)
	}
	config.OnStasis = func(start ari.StasisStart) {
		if !start.IsClickToCall() && !start.IsSnoop() {
			d.redirector.Enter(callerOf(start))
		}
	}
	return ari.NewSource(d.switcher, config, d.log.Named("ari"))
}

func intakeOptions(d *Daemon) []intake.Option {
	options := []intake.Option{
		intake.WithMemory(d.cfg.Storage.MemoryMaxSize.Bytes()),
		intake.WithSource(d.source),
		// The commander is made after the intake, and before it runs.
		intake.WithActions(func(actions []bridge.Action) { d.commander.Act(actions) }),
	}
	if d.courier != nil {
		options = append(options, intake.WithRecordings(d.courier.Look))
	}
	return options
}
