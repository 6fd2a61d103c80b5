package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// BuildDaemon builds kontur-ari with the race detector into a directory and
// gives the program's path. Call it once and share the program.
func BuildDaemon(ctx context.Context, directory string) (string, error) {
	program := filepath.Join(directory, "kontur-ari")
	output, err := exec.CommandContext(ctx, "go", "build", "-race", "-buildvcs=false", "-o", program, "kontur-ari/cmd/kontur-ari").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build kontur-ari: %w\n%s", err, output)
	}
	return program, nil
}

// Daemon is kontur-ari as a process of its own. It may be killed and started
// again: its configuration and its storage stay.
type Daemon struct {
	// Commands is the base URL at which it takes the CRM's.
	Commands string

	program string
	config  string
	storage string
	admin   string
	log     output
	process *process
}

// NewDaemon writes the configuration into the directory, which must be empty;
// the daemon keeps its storage there too. It is not started yet.
func NewDaemon(program, directory string, config DaemonConfig) (*Daemon, error) {
	admin, err := freeAddress()
	if err != nil {
		return nil, err
	}
	server, err := freeAddress()
	if err != nil {
		return nil, err
	}
	config.admin, config.server = admin, server
	if config.storage = config.Storage; config.storage == "" {
		config.storage = filepath.Join(directory, "storage")
	}
	path := filepath.Join(directory, "kontur-ari.yaml")
	if err := os.MkdirAll(config.storage, 0o700); err != nil {
		return nil, fmt.Errorf("make the daemon's storage: %w", err)
	}
	text, err := config.YAML()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("write the daemon's configuration: %w", err)
	}
	return &Daemon{program: program, config: path, storage: config.storage, admin: "http://" + config.admin, Commands: "http://" + config.server + "/kontur"}, nil
}

// Start starts the daemon and returns when it hears Asterisk. When it doesn't,
// it is killed, and the error says what it logged.
func (d *Daemon) Start(ctx context.Context) error {
	if err := d.Launch(); err != nil {
		return err
	}
	if err := d.AwaitReady(ctx); err != nil {
		return errors.Join(err, d.Kill())
	}
	return nil
}

// Launch starts the daemon and returns at once.
func (d *Daemon) Launch() error {
	cmd := exec.Command(d.program, "run", "--config", d.config)
	// What is set for the tests isn't meant for the daemon.
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "KONTUR_ARI_") {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	cmd.Stdout, cmd.Stderr = &d.log, &d.log
	var err error
	d.process, err = startProcess("kontur-ari", cmd)
	return err
}

// AwaitReady waits until the daemon says that it is ready.
func (d *Daemon) AwaitReady(ctx context.Context) error {
	return d.awaitReadiness(ctx, true)
}

// AwaitUnready waits until the daemon says that it isn't ready any more.
func (d *Daemon) AwaitUnready(ctx context.Context) error {
	return d.awaitReadiness(ctx, false)
}

func (d *Daemon) awaitReadiness(ctx context.Context, wanted bool) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if d.ready(ctx) == wanted && ctx.Err() == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.process.exited:
			return fmt.Errorf("kontur-ari ended while it was waited for: %w\n%s", d.process.err, d.Log())
		case <-ctx.Done():
			return fmt.Errorf("kontur-ari is not to be seen with ready=%t: %w\n%s", wanted, context.Cause(ctx), d.Log())
		}
	}
}

func (d *Daemon) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.admin+"/readyz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}

// CommandCounts are how the daemon counts the CRM's commands in /readyz.
type CommandCounts struct {
	Calls, Hangups, Repeated int
	// Refused are counted by status, CallsFailed by cause.
	Refused, CallsFailed map[string]int
}

// CommandCounts asks the daemon how it counts the CRM's commands.
func (d *Daemon) CommandCounts(ctx context.Context) (CommandCounts, error) {
	var answer struct{ Commands CommandCounts }
	err := d.Details(ctx, &answer)
	return answer.Commands, err
}

// Kill ends the daemon with SIGKILL and returns when it is gone. It may be
// called for a daemon that doesn't run.
func (d *Daemon) Kill() error {
	if d.process == nil {
		return nil
	}
	return d.process.kill()
}

// Terminate asks the daemon to end with SIGTERM and gives its exit code. It is
// killed when the context ends first.
func (d *Daemon) Terminate(ctx context.Context) (int, error) {
	return d.process.stop(ctx)
}

// Running returns whether the daemon's process is there.
func (d *Daemon) Running() bool { return d.process != nil && d.process.running() }

// Storage is the directory of the daemon's storage.
func (d *Daemon) Storage() string { return d.storage }

// Process is the id of the daemon's process. It must have been launched.
func (d *Daemon) Process() int { return d.process.cmd.Process.Pid }

// Log is all that it has logged, since it was started first.
func (d *Daemon) Log() string { return d.log.String() }

// output takes what a process writes.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// Health is the status that /healthz answers with.
func (d *Daemon) Health(ctx context.Context) (status int, err error) {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.admin+"/healthz", nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, fmt.Errorf("ask kontur-ari for its health: %w", err)
	}
	return res.StatusCode, res.Body.Close()
}

// Details reads what the daemon says of itself in /readyz into a struct.
func (d *Daemon) Details(ctx context.Context, into any) error {
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.admin+"/readyz", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask kontur-ari for its details: %w", err)
	}
	err = json.NewDecoder(res.Body).Decode(into)
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return fmt.Errorf("read kontur-ari's details: %w", err)
	}
	return nil
}
