package rescue_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kontur-ari/bridge/store/sqlite"
)

// smallDisk mounts a file system of so many bytes, in memory.
func smallDisk(t *testing.T, size int) (directory string) {
	t.Helper()
	if os.Getenv("KONTUR_ARI_E2E") == "off" {
		t.Skip("left out: KONTUR_ARI_E2E=off")
	}
	if os.Geteuid() != 0 {
		t.Fatal("mounting a disk to fill needs root; KONTUR_ARI_E2E=off leaves this out")
	}
	directory = t.TempDir()
	if err := unix.Mount("tmpfs", directory, "tmpfs", 0, fmt.Sprintf("size=%d", size)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(directory, 0); err != nil {
			t.Error(err)
		}
	})
	return directory
}

func TestAFullDiskLeavesEverythingAsItWasAndTheNextRescueSucceeds(t *testing.T) {
	directory := smallDisk(t, 1<<20)
	path, _ := damaged(t, directory)
	filler, err := os.Create(filepath.Join(directory, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = filler.Write(make([]byte, 1<<12))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	info, err := filler.Stat()
	if err != nil {
		t.Fatal(err)
	}
	// With no space at all, with almost enough, and with all between: each fails at another step.
	full, noIndex := 0, 0
	for free := int64(0); ; free += 1 << 12 {
		if free > info.Size() {
			t.Fatal("all the space there is does not suffice")
		}
		// The index that an earlier attempt made would save this one the space.
		if err := errors.Join(filler.Truncate(info.Size()-free), os.RemoveAll(path+"-shm")); err != nil {
			t.Fatal(err)
		}
		before := filesIn(t, directory)
		_, err := planFor(path).Run(t.Context(), errCause, moment)
		if err == nil {
			break
		}
		switch {
		case sqlite.Classify(err) == sqlite.Full:
			full++
		case sqlite.Classify(err) == sqlite.Unopened:
			noIndex++
		default:
			t.Errorf("with %d bytes free: %v", free, err)
		}
		checkUnchanged(t, directory, before)
	}
	if full == 0 || noIndex == 0 {
		t.Errorf("the new file found no space %d times, the index of the log %d times; want both", full, noIndex)
	}
	if err := filler.Close(); err != nil {
		t.Error(err)
	}
	if rows := storedIn(t, path, "visits"); len(rows) != 60 {
		t.Errorf("%d visits in the new file, want 60", len(rows))
	}
}

func TestADirectoryThatCannotBeWrittenLeavesEverythingAsItWas(t *testing.T) {
	directory := smallDisk(t, 1<<20)
	path, before := damaged(t, directory)
	if err := unix.Mount("", directory, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := planFor(path).Run(t.Context(), errCause, moment); sqlite.Classify(err) != sqlite.ReadOnly {
		t.Errorf("the fault is %q: %v", sqlite.Classify(err), err)
	}
	checkUnchanged(t, directory, before)
	if err := unix.Mount("", directory, "", unix.MS_REMOUNT, ""); err != nil {
		t.Fatal(err)
	}
	run(t, planFor(path))
}

// All that is in the file can be read once its log can be opened.
func TestALogThatCannotBeOpenedIsNoLoss(t *testing.T) {
	directory := t.TempDir()
	path, _ := damaged(t, directory)
	if err := errors.Join(os.Remove(path+"-wal"), os.Mkdir(path+"-wal", 0o700)); err != nil {
		t.Fatal(err)
	}
	before := filesIn(t, directory)
	_, err := planFor(path).Run(t.Context(), errCause, moment)
	if sqlite.Classify(err) != sqlite.Unopened || !strings.Contains(err.Error(), "reading the damaged store") {
		t.Errorf("the rescue ended with %v", err)
	}
	checkUnchanged(t, directory, before)
	if err := os.Remove(path + "-wal"); err != nil {
		t.Fatal(err)
	}
	run(t, planFor(path))
	if rows := storedIn(t, path, "visits"); len(rows) != 60 {
		t.Errorf("%d visits in the new file, want 60", len(rows))
	}
}
