package lab

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// asterisk is the switch of a lab. It may be killed and restarted, always on the
// same ports.
type asterisk struct {
	instance *instance
	ports    ports
	ari      *rest
	process  *process
}

// errPortTaken is the error of a start if another program took a port first.
var errPortTaken = errors.New("a port was taken by another program")

// start starts the process and returns when ARI and SIP can be used.
func (a *asterisk) start(ctx context.Context) error {
	output, err := os.OpenFile(a.outputFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("start Asterisk: %w", err)
	}
	defer func() { _ = output.Close() }() // Asterisk has its own copy
	cmd := exec.Command("/usr/sbin/asterisk", "-f", "-C", a.instance.inside+"/etc/asterisk.conf")
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root()}
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root"}
	cmd.Stdout, cmd.Stderr = output, output
	if a.process, err = startProcess("asterisk", cmd); err != nil {
		return err
	}
	if err := a.awaitReady(ctx); err != nil {
		return errors.Join(err, a.process.kill())
	}
	return nil
}

// pollEvery is the pause between two looks at a condition that can't be waited
// for.
const pollEvery = 20 * time.Millisecond

func (a *asterisk) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	unanswered := errors.New("it has not said that it is")
	for {
		// Everything is loaded when Asterisk says so; HTTP answers before that.
		log := a.log()
		if strings.Contains(log, "Address already in use") {
			return errPortTaken
		}
		if strings.Contains(log, "Asterisk Ready.") {
			if unanswered = a.ari.do(ctx, http.MethodGet, "/asterisk/info", nil); unanswered == nil {
				return nil
			}
		}
		select {
		case <-tick.C:
		case <-a.process.exited:
			return fmt.Errorf("process of Asterisk ended while it was starting: %w\n%s", a.process.err, a.lastLog(30))
		case <-ctx.Done():
			return fmt.Errorf("the started Asterisk does not get ready: %w: %w\n%s", context.Cause(ctx), unanswered, a.lastLog(30))
		}
	}
}

func (a *asterisk) outputFile() string { return filepath.Join(a.instance.outside, "log", "output") }

// log returns all that Asterisk has logged and printed since its last start.
func (a *asterisk) log() string {
	full, _ := os.ReadFile(filepath.Join(a.instance.outside, "log", "full"))
	output, _ := os.ReadFile(a.outputFile())
	return string(output) + string(full)
}

func (a *asterisk) lastLog(lines int) string { return lastLines(a.log(), lines) }

// forgetLog puts the log of the last run aside, so that a new run has its own.
func (a *asterisk) forgetLog() error {
	for _, name := range []string{"full", "output"} {
		path := filepath.Join(a.instance.outside, "log", name)
		if err := os.Rename(path, path+".before"); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("put Asterisk's log aside: %w", err)
		}
	}
	return nil
}

func lastLines(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
