package main

import (
	"os"
	"os/signal"
	"syscall"

	"go.uber.org/zap"
)

// catchSIGHUP keeps SIGHUP from ending the process, from now until release is called.
// By default it does, and systemd counts that as a clean end and restarts nothing. It
// comes from a closed terminal, logrotate, or an administrator who expects a reload.
func catchSIGHUP() (hangups <-chan os.Signal, release func()) {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	return caught, func() { signal.Stop(caught) }
}

// logSIGHUP logs each SIGHUP, those included that came before, until stop is called.
func logSIGHUP(hangups <-chan os.Signal, log *zap.Logger) (stop func()) {
	stopping, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-hangups:
				log.Warn("SIGHUP is ignored: restart kontur-ari to have a changed configuration read")
			case <-stopping:
				return
			}
		}
	}()
	return func() { close(stopping); <-stopped }
}
