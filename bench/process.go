package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a child process of the bench.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
	err     error
	log     *os.File
}

// start starts a program. Its output is appended to the file logName.
func start(ctx context.Context, logName, program string, arguments ...string) (*process, error) {
	log, err := os.OpenFile(logName, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640)
	if err != nil {
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(program), err)
	}
	p := &process{command: exec.CommandContext(ctx, program, arguments...), ended: make(chan struct{}), log: log}
	p.command.Stdout, p.command.Stderr = log, log
	// The kernel kills the child if the bench dies.
	p.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting %s: %w", filepath.Base(program), err), log.Close())
	}
	go func() {
		p.err = p.command.Wait()
		close(p.ended)
	}()
	return p, nil
}

// kill ends the process with SIGKILL and waits for its end.
func (p *process) kill() {
	_ = p.command.Process.Kill()
	<-p.ended
	_ = p.log.Close()
}

// memory holds the kernel's figures of a process, in bytes: its resident memory, the peak
// of that, and the resident pages of the program's own file.
type memory struct{ resident, most, program int64 }

func (p *process) memory() (m memory, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return m, fmt.Errorf("reading the memory of a process: %w", err)
	}
	for line := range bytes.Lines(status) {
		fields := strings.Fields(string(line))
		if len(fields) != 3 {
			continue
		}
		kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
		switch {
		case err != nil:
		case fields[0] == "VmRSS:":
			m.resident = kilobytes << 10
		case fields[0] == "VmHWM:":
			m.most = kilobytes << 10
		case fields[0] == "RssFile:":
			m.program = kilobytes << 10
		}
	}
	return m, nil
}

// forgetPeak resets the kernel's record of a process's peak memory (proc(5), clear_refs).
func (p *process) forgetPeak() error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.command.Process.Pid), []byte("5"), 0); err != nil {
		return fmt.Errorf("resetting the peak memory of a process: %w", err)
	}
	return nil
}

// tick is the unit in which the kernel counts processor time.
const tick = 10 * time.Millisecond

// processor returns the processor time of the process so far.
func (p *process) processor() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("reading the processor time of a process: %w", err)
	}
	// The name of the program may contain spaces, the fields after it do not.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const user, system = 11, 12
	if len(fields) <= system {
		return 0, errors.New("reading the processor time of a process: too few fields")
	}
	var ticks int64
	for _, field := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the processor time of a process: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * tick, nil
}

// buildDaemon builds the daemon of the checkout as a release does.
func buildDaemon(ctx context.Context, into string) (string, error) {
	path := filepath.Join(into, "kontur-ari")
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, "./cmd/kontur-ari")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the daemon: %w\n%s", err, out)
	}
	return path, nil
}

// fileSystem names the kind of file system a directory is on.
func fileSystem(directory string) (string, error) {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(directory, &stat); err != nil {
		return "", fmt.Errorf("looking at the file system of %s: %w", directory, err)
	}
	switch stat.Type {
	case 0xEF53:
		return "ext4", nil
	case 0x58465342:
		return "xfs", nil
	case 0x9123683E:
		return "btrfs", nil
	case 0x2FC12FC1:
		return "zfs", nil
	case 0x794C7630:
		return "overlayfs", nil
	case 0x01021994:
		return "", fmt.Errorf("%s is in memory (tmpfs), where nothing is durable: name a directory on a disk with --dir", directory)
	}
	return fmt.Sprintf("file system %#x", stat.Type), nil
}
