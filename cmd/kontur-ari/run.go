package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"

	"kontur-ari/cmd/kontur-ari/internal/daemon"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
)

// runDaemon is the life of the daemon, from start to a signal's orderly stop. A signal
// that comes while it starts stops it as well. hangups are only logged.
func runDaemon(parent context.Context, cfg configs.Config, warnings []configs.Warning, hangups <-chan os.Signal, stderr io.Writer) error {
	log, err := setup.Logger(cfg.Log, stderr)
	if err != nil {
		return err
	}
	stopLogging := logSIGHUP(hangups, log)
	defer stopLogging()
	signalled, forget := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM)
	defer forget()
	for _, warning := range warnings {
		log.Warn("configuration", zap.String("warning", warning.String()))
	}
	log.Info("starting", zap.String("version", versionLine()), zap.String("node", cfg.Node))
	d, err := daemon.New(signalled, cfg, daemon.Options{Version: version, Log: log})
	if err != nil {
		if signalled.Err() != nil && errors.Is(err, context.Canceled) {
			return nil
		}
		return err
	}
	d.Start()

	var failure error
	select {
	case <-signalled.Done():
	case failure = <-d.Failed():
	}
	forget() // a second signal ends the process at once
	log.Info("stopping", zap.Duration("within", cfg.ShutdownTimeout))
	bounded, cancel := context.WithTimeout(context.WithoutCancel(parent), cfg.ShutdownTimeout)
	defer cancel()
	// The error of a part that failed is among those of the stop.
	if err = d.Stop(bounded); err == nil {
		err = failure
	}
	log.Info("stopped", zap.Bool("orderly", err == nil))
	return err
}
