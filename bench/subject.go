package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// connections is how many requests are under way at most: the daemon's default.
const connections = 16

// patience bounds the wait for what must happen.
const patience = time.Minute

// subject is a program that makes requests of events, with an Asterisk and a CRM of
// its own.
type subject struct {
	bench    *bench
	asterisk *asterisk
	crm      *crm
	process  *process
	// directory is where it keeps its files, admin where a daemon shows its health.
	directory, admin, config string
	// next is the number of the next call.
	next int
	// worked is the processor time that its process has spent on the requests that it
	// made at full speed.
	worked time.Duration
	made   int64
}

func (b *bench) newSubject(name string) (_ *subject, err error) {
	s := &subject{bench: b, directory: filepath.Join(b.directory, name)}
	if err := os.MkdirAll(s.directory, 0o750); err != nil {
		return nil, fmt.Errorf("making room for %s: %w", name, err)
	}
	if s.asterisk, err = startAsterisk(); err != nil {
		return nil, err
	}
	if s.crm, err = startCRM(); err != nil {
		s.asterisk.close()
		return nil, err
	}
	return s, nil
}

func (s *subject) close() {
	if s.process != nil {
		s.process.kill()
	}
	s.asterisk.close()
	s.crm.close()
}

// startDirect starts the yardstick program: "direct", or "keeping" for the one that
// flushes.
func (b *bench) startDirect(ctx context.Context, name string) (*subject, error) {
	s, err := b.newSubject(name)
	if err != nil {
		return nil, err
	}
	s.process, err = start(ctx, filepath.Join(s.directory, "log"), b.self, name, s.asterisk.url, s.crm.url, strconv.Itoa(connections), filepath.Join(s.directory, "kept"))
	if err == nil {
		err = s.asterisk.await(within(ctx))
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// startDaemon starts the daemon on an empty directory.
func (b *bench) startDaemon(ctx context.Context, name string) (*subject, error) {
	s, err := b.newSubject(name)
	if err != nil {
		return nil, err
	}
	if err = s.configure(); err == nil {
		if err = s.exec(ctx); err == nil {
			err = s.awaitReady(ctx)
		}
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// configure writes the daemon's configuration: what it must have, and nothing else.
func (s *subject) configure() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("looking for a free port: %w", err)
	}
	s.admin = listener.Addr().String()
	if err := listener.Close(); err != nil {
		return fmt.Errorf("looking for a free port: %w", err)
	}
	s.config = filepath.Join(s.directory, "kontur-ari.yaml")
	text := fmt.Sprintf(`node: bench
asterisk: {url: %q, username: kontur, password: secret}
kontur: {base_url: %q, workspace: bench, api_key: bench-api-key, connections: %d}
server: {listen: ""}
admin: {listen: %q}
storage: {directory: %q}
recordings: {directory: %q, names: ["{uniqueid}.*"]}
log: {format: json}
directory:
  users: [{user_id: ae9c0d0e-0000-4000-8000-000000000101, extension: "101"}]
  trunks: [{endpoint: PJSIP/trunk, number: "79229929292"}]
`, s.asterisk.url, s.crm.url, connections, s.admin, filepath.Join(s.directory, "storage"), s.monitor())
	if err := os.WriteFile(s.config, []byte(text), 0o600); err != nil {
		return fmt.Errorf("configuring the daemon: %w", err)
	}
	return nil
}

// exec starts the daemon, on what it has stored before.
func (s *subject) exec(ctx context.Context) (err error) {
	s.process, err = start(ctx, filepath.Join(s.directory, "log"), s.bench.daemon, "run", "--config", s.config)
	return err
}

// awaitReady waits until events flow.
func (s *subject) awaitReady(ctx context.Context) error {
	if err := s.asterisk.await(within(ctx)); err != nil {
		return err
	}
	return s.until(ctx, "events flow into the daemon", func(d details) bool { return d.Status == "ready" })
}

// details are the daemon's own counters.
type details struct {
	Status                                string
	Events, Reports, Delivered, Collapsed int64
	Recordings                            struct{ Now struct{ Uploads int64 } }
}

// until asks the daemon until a condition holds.
func (s *subject) until(ctx context.Context, what string, holds func(details) bool) error {
	ctx = within(ctx)
	for {
		d, err := s.details(ctx)
		if err == nil && holds(d) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting until %s: %w (%+v)", what, errors.Join(err, ctx.Err()), d)
		case <-s.process.ended:
			return fmt.Errorf("waiting until %s: the daemon has ended: %w, see %s", what, s.process.err, s.directory)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func (s *subject) details(ctx context.Context) (d details, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.admin+"/readyz", nil)
	if err != nil {
		return d, fmt.Errorf("asking the daemon: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return d, fmt.Errorf("asking the daemon: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if err := json.NewDecoder(response.Body).Decode(&d); err != nil {
		return d, fmt.Errorf("asking the daemon: %w", err)
	}
	return d, nil
}

// within bounds a wait. Its timer is let go when the time is up: there are few of them.
func within(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, patience)
	context.AfterFunc(ctx, cancel)
	return ctx
}
