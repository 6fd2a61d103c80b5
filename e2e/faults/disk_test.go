package faults_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// disk is a file system in a file, for one office.
type disk struct {
	// image is the path of the file, point the path of its mount.
	image, point string
	copies       int
}

// mountOptions delay the kernel's own write-back beyond the seconds that a round takes.
// So the disk holds only what the daemon synced.
const mountOptions = "loop,commit=300,noatime"

// newDisk makes a disk of the given size and mounts it until the test ends.
func newDisk(t *testing.T, megabytes int) (*disk, error) {
	directory, err := os.MkdirTemp(suite.directory, "disk-")
	if err != nil {
		return nil, err
	}
	d := &disk{image: filepath.Join(directory, "image-0"), point: filepath.Join(directory, "mounted")}
	t.Cleanup(func() {
		if err := errors.Join(d.unmount(), os.RemoveAll(directory)); err != nil {
			t.Errorf("the disk stays behind: %v", err)
		}
	})
	if err := os.Mkdir(d.point, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(d.image, nil, 0o600); err != nil {
		return nil, err
	}
	if err := os.Truncate(d.image, int64(megabytes)<<20); err != nil {
		return nil, err
	}
	if err := command("mkfs.ext4", "-q", "-F", "-m", "0", d.image); err != nil {
		return nil, err
	}
	return d, d.mount()
}

// powerCut reduces the disk to what the kernel has handed to it, and mounts it again. No
// process may use the disk until powerCut returns.
func (d *disk) powerCut() error {
	d.copies++
	remains := filepath.Join(filepath.Dir(d.image), "image-"+strconv.Itoa(d.copies))
	// The copy is made without a sync and while the disk is mounted.
	if err := command("cp", "--sparse=always", d.image, remains); err != nil {
		return err
	}
	if err := d.unmount(); err != nil {
		return err
	}
	if err := os.Remove(d.image); err != nil {
		return err
	}
	d.image = remains
	return d.mount()
}

func (d *disk) mount() error { return command("mount", "-o", mountOptions, d.image, d.point) }

func (d *disk) unmount() error {
	mounted, err := isMounted(d.point)
	if err != nil || !mounted {
		return err
	}
	if command("umount", d.point) == nil {
		return nil
	}
	// A process still has a file open: the kernel unmounts the disk when it is closed.
	return command("umount", "-l", d.point)
}

func isMounted(point string) (bool, error) {
	points, err := mountPoints()
	for _, p := range points {
		if p == point {
			return true, err
		}
	}
	return false, err
}

func mountPoints() ([]string, error) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var points []string
	for line := range strings.Lines(string(mounts)) {
		if fields := strings.Fields(line); len(fields) > 1 {
			points = append(points, fields[1])
		}
	}
	return points, nil
}

// command runs a program of the system.
func command(name string, args ...string) error {
	if output, err := exec.CommandContext(context.Background(), name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, output)
	}
	return nil
}

const directoryPrefix = "kontur-ari-faults-"

// sweep unmounts the disks of suites that were killed.
func sweep() error {
	points, err := mountPoints()
	errs := []error{err}
	for _, point := range points {
		_, rest, ours := strings.Cut(point, "/"+directoryPrefix)
		pid, _, _ := strings.Cut(rest, "-")
		if id, err := strconv.Atoi(pid); !ours || err != nil || syscall.Kill(id, 0) == nil {
			continue
		}
		errs = append(errs, command("umount", "-l", point))
	}
	return errors.Join(errs...)
}
