package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// instance is the directory that one running Asterisk writes to. The lab holds its lock
// file as long as it lives: a directory with a free lock is left from a killed test run.
type instance struct {
	outside string // the path on the host
	inside  string // the path that Asterisk sees
	lock    *os.File
}

const instancePrefix = "kontur-ari-lab-"

// newInstance makes a directory, and removes those that are not in use any more.
func newInstance() (*instance, error) {
	parent := filepath.Join(root(), "run")
	if err := sweep(parent); err != nil {
		return nil, err
	}
	outside, err := os.MkdirTemp(parent, instancePrefix)
	if err != nil {
		return nil, fmt.Errorf("make the instance's directory: %w", err)
	}
	i := &instance{outside: outside, inside: "/run/" + filepath.Base(outside)}
	if i.lock, err = lockFile(filepath.Join(outside, "lock")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(outside))
	}
	for _, name := range []string{"etc", "lib/keys", "log", "agi", "spool/recording", "spool/monitor", "spool/tmp"} {
		if err := os.MkdirAll(filepath.Join(outside, name), 0o755); err != nil {
			return nil, errors.Join(fmt.Errorf("make the instance's directory: %w", err), i.remove())
		}
	}
	return i, nil
}

func (i *instance) remove() error {
	return errors.Join(os.RemoveAll(i.outside), i.lock.Close())
}

// sweep removes the directories whose lock is free.
func sweep(parent string) error {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return fmt.Errorf("look for old instances: %w", err)
	}
	for _, entry := range entries {
		old := filepath.Join(parent, entry.Name())
		if !strings.HasPrefix(entry.Name(), instancePrefix) {
			continue
		}
		// One without a lock file is just being made by another process.
		if _, err := os.Stat(filepath.Join(old, "lock")); err != nil {
			continue
		}
		lock, err := lockFile(filepath.Join(old, "lock"))
		if err != nil {
			continue
		}
		if err := errors.Join(os.RemoveAll(old), lock.Close()); err != nil {
			return fmt.Errorf("remove the old instance %s: %w", old, err)
		}
	}
	return nil
}

// lockFile takes a lock that ends with this process, or fails at once.
func lockFile(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), file.Close())
	}
	return file, nil
}
