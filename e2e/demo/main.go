// Command demo shows kontur-ari at work. Four real SIP calls go through a real Asterisk,
// the last one ordered by the CRM. For each it prints the events, the requests to the CRM
// and the answers. It ends by itself. The exit code is 0 only if the CRM, a strict
// simulator, received exactly the right requests.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"kontur-ari/crm/crmtest"
	"kontur-ari/e2e/lab"
)

// longest bounds the whole demo, building included.
const longest = 10 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// run starts the lab, the CRM and the daemon, plays each story and prints it.
func run(ctx context.Context, out io.Writer) (err error) {
	fmt.Fprintln(out, "Starting a real Asterisk, phones 101 to 104 and a trunk, on loopback.")
	switchboard, err := lab.Start(ctx, lab.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, switchboard.Close()) }()

	fmt.Fprintln(out, "Starting a simulator of Kontur.CRM that checks every request against the contract.")
	crm := crmtest.NewServer(crmtest.Options{})
	defer crm.Close()

	fmt.Fprintln(out, "Building kontur-ari and starting it.")
	directory, err := os.MkdirTemp("", "kontur-ari-demo-")
	if err != nil {
		return fmt.Errorf("making a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(directory)) }()
	daemon, err := startDaemon(ctx, directory, switchboard, crm.URL)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			fmt.Fprintf(os.Stderr, "---- kontur-ari's log\n%s", daemon.Log())
		}
		err = errors.Join(err, daemon.Kill())
	}()

	for number, story := range stories {
		if err := show(ctx, out, story, number, switchboard, crm, daemon); err != nil {
			return err
		}
	}
	code, err := daemon.Terminate(ctx)
	if err != nil {
		return err
	}
	return judge(out, crm, code)
}

// startDaemon builds the real kontur-ari and starts it.
func startDaemon(ctx context.Context, directory string, l *lab.Lab, crmURL string) (*lab.Daemon, error) {
	program, err := lab.BuildDaemon(ctx, directory)
	if err != nil {
		return nil, err
	}
	home := filepath.Join(directory, "daemon")
	if err := os.Mkdir(home, 0o700); err != nil {
		return nil, fmt.Errorf("making a folder for the daemon: %w", err)
	}
	daemon, err := lab.NewDaemon(program, home, lab.DaemonConfig{
		Lab: l, Application: "kontur-ari-demo", CRM: crmURL, Workspace: "my-workspace", APIKey: "test-api-key",
	})
	if err != nil {
		return nil, err
	}
	return daemon, daemon.Start(ctx)
}

// show plays a story, waits until the CRM has received all of its call, and prints it.
func show(ctx context.Context, out io.Writer, story story, number int, l *lab.Lab, crm *crmtest.Server, daemon *lab.Daemon) error {
	fmt.Fprintf(out, "\n=== %s ===\n", story.title)
	if err := story.happens(ctx, stage{l, crm.System(daemon.Commands)}); err != nil {
		return fmt.Errorf("%s: %w", story.title, err)
	}
	if err := crm.WaitOver(ctx, number+1); err != nil {
		return fmt.Errorf("%s: %w", story.title, err)
	}
	call := crm.Calls()[number]
	if err := ladder(ctx, out, daemon, call.ID); err != nil {
		return err
	}
	if got := call.Sequence(); !slices.Equal(got, story.reports) {
		return fmt.Errorf("%s: the CRM received %q, not %q", story.title, got, story.reports)
	}
	return nil
}

// ladder prints the events and requests of a call. It waits until the daemon has recorded
// the last answer, which is a moment after the CRM sent it.
func ladder(ctx context.Context, out io.Writer, daemon *lab.Daemon, call string) error {
	for {
		var text bytes.Buffer
		if err := daemon.Ladder(ctx, &text, call); err != nil {
			return err
		}
		if !strings.Contains(text.String(), "  waiting  ") {
			_, err := text.WriteTo(out)
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// judge prints the result. It returns an error if the daemon or the contract failed.
func judge(out io.Writer, crm *crmtest.Server, code int) error {
	violations := crm.Violations()
	for _, violation := range violations {
		fmt.Fprintln(out, "violation:", violation)
	}
	switch {
	case code != 0:
		return fmt.Errorf("kontur-ari ended with exit code %d", code)
	case crm.Repeats() > 0:
		return fmt.Errorf("the CRM received %d requests twice", crm.Repeats())
	case len(violations) > 0:
		return fmt.Errorf("the simulator saw %d violations of the contract", len(violations))
	}
	fmt.Fprintf(out, "\n%d calls, %d requests, each as the contract wants it; no violation.\n", len(crm.Calls()), len(crm.Requests()))
	return nil
}
