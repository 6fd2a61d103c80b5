package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
)

// process is a child that can't outlive this one, whatever ends it.
type process struct {
	name string
	cmd  *exec.Cmd
	// exited is closed when it has ended; err says how, then.
	exited chan struct{}
	err    error
	signal sync.Mutex
}

// startProcess starts a command and looks after it until it has ended.
func startProcess(name string, cmd *exec.Cmd) (*process, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	// Of its own group, so that Ctrl-C reaches it through us only.
	cmd.SysProcAttr.Setpgid = true
	p := &process{name: name, cmd: cmd, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel kills the child when the thread that started it ends, so
		// that thread is kept.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("start %s: %w", name, err)
			return
		}
		started <- nil
		p.err = cmd.Wait()
		close(p.exited)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// running returns whether it hasn't ended yet.
func (p *process) running() bool {
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

// send delivers a signal; a process that has ended takes none.
func (p *process) send(signal os.Signal) error {
	p.signal.Lock()
	defer p.signal.Unlock()
	if err := p.cmd.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", p.name, err)
	}
	return nil
}

// wait waits for its end and gives the exit code, -1 when a signal ended it.
func (p *process) wait(ctx context.Context) (int, error) {
	select {
	case <-p.exited:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("%s (process %d) does not end: %w", p.name, p.cmd.Process.Pid, context.Cause(ctx))
	}
}

// kill ends it with SIGKILL and waits until it is gone.
func (p *process) kill() error {
	if err := p.send(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

// stop asks it to end with SIGTERM, and kills it when the context ends first.
func (p *process) stop(ctx context.Context) (int, error) {
	if err := p.send(syscall.SIGTERM); err != nil {
		return 0, err
	}
	code, err := p.wait(ctx)
	if err != nil {
		return 0, errors.Join(err, p.kill())
	}
	return code, nil
}
