package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
)

// patience bounds every wait for something that must happen.
const patience = 30 * time.Second

// command runs a program of the system, which fails the test when it fails.
func command(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// disk mounts a file system of its own, of 16 MiB, and returns where.
func disk(t *testing.T) string {
	t.Helper()
	needsMount(t)
	image := diskImage(t)
	return mount(t, image, "loop")
}

// needsMount skips a test that needs root if the environment asks for that.
func needsMount(t *testing.T) {
	t.Helper()
	if os.Getenv("KONTUR_ARI_E2E") == "off" {
		t.Skip("left out: KONTUR_ARI_E2E=off")
	}
	if os.Geteuid() != 0 {
		t.Fatal("mounting a disk to fill needs root; KONTUR_ARI_E2E=off leaves this out")
	}
}

func diskImage(t *testing.T) string {
	t.Helper()
	image := filepath.Join(t.TempDir(), "disk.ext4")
	command(t, "truncate", "--size=16M", image)
	command(t, "mkfs.ext4", "-q", "-m", "0", image)
	return image
}

func mount(t *testing.T, device, options string) string {
	t.Helper()
	directory := t.TempDir()
	command(t, "mount", "-o", options, device, directory)
	t.Cleanup(func() { command(t, "umount", directory) })
	return directory
}

// fill leaves no space on a disk. The returned function gives the space back.
func fill(t *testing.T, directory string) (empty func()) {
	t.Helper()
	path := filepath.Join(directory, "filler")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	// The last bytes go one block at a time.
	for _, size := range []int{1 << 20, 1 << 12, 1} {
		for err = nil; err == nil; {
			_, err = file.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// large is a batch of 64 KiB and a report.
func large(call bridge.CallID) bridge.Batch {
	return bridge.Batch{
		Events:  []bridge.Entry{{Received: moment, Event: bridge.Event{Type: bridge.EventDial, Raw: bytes.Repeat([]byte("x"), 1<<16)}}},
		Reports: []bridge.Report{report(call, bridge.ReportStarted)},
	}
}

// checkFault checks that an error says what happened, where, and what to do.
func checkFault(t *testing.T, err error, fault store.Fault, words ...string) {
	t.Helper()
	if store.FaultOf(err) != fault {
		t.Errorf("the fault of %v is %q, want %q", err, store.FaultOf(err), fault)
	}
	for _, word := range words {
		if err != nil && !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not say %q", err, word)
		}
	}
}

func TestAFullDiskIsNamedAndTheFirstWriteAfterItSucceeds(t *testing.T) {
	directory := disk(t)
	s := open(t, directory)
	commit(t, s, large("before"))
	for round := range 3 {
		empty := fill(t, directory)
		var err error
		stored := 0
		for ; err == nil && stored < 1000; stored++ {
			_, err = s.Commit(t.Context(), large(bridge.CallID(fmt.Sprint("filling", round, stored))))
		}
		checkFault(t, err, store.Full, directory, "free some space")
		if err := s.Check(t.Context()); err != nil {
			checkFault(t, err, store.Full, directory)
		}
		// What was stored can be read all the while.
		pending := head(t, s, "before")
		empty()
		commit(t, s, large(bridge.CallID(fmt.Sprint("after", round))))
		settle(t, s, pending, bridge.Result{Verdict: bridge.Retry, Reason: "again"})
		head(t, s, bridge.CallID(fmt.Sprint("after", round)))
		if attempts := head(t, s, "before").Attempts; attempts != round+1 {
			t.Errorf("%d attempts are recorded after %d", attempts, round+1)
		}
		if failed := bridge.CallID(fmt.Sprint("filling", round, stored-1)); len(mustNext(t, s, failed)) != 0 {
			t.Error("a batch that was refused is stored in part")
		}
	}
	if damages := s.Rescued(); len(damages) > 0 {
		t.Errorf("a full disk is taken for a damage: %+v", damages)
	}
}

func mustNext(t *testing.T, s *store.Store, call bridge.CallID) []bridge.Pending {
	t.Helper()
	pending, err := s.OldestWaiting(t.Context(), []bridge.CallID{call}, 10)
	if err != nil {
		t.Fatal(err)
	}
	return pending
}

// The log of a large disk would leave no room for anything else on a small one.
func TestTheLogStaysShortOnASmallDisk(t *testing.T) {
	directory := disk(t)
	s := open(t, directory)
	for n := range 5000 {
		if err := s.SetLastHeard(t.Context(), time.UnixMilli(int64(n))); err != nil {
			t.Fatal(err)
		}
	}
	if info, err := os.Stat(filepath.Join(directory, store.FileName+"-wal")); err != nil || info.Size() > 8<<20 {
		t.Errorf("the log has %d bytes, error %v", info.Size(), err)
	}
}

func TestAStartOnAFullDiskSaysSo(t *testing.T) {
	directory := disk(t)
	empty := fill(t, directory)
	_, err := store.Open(t.Context(), directory)
	checkFault(t, err, store.Full, directory, "free some space")
	empty()
	commit(t, open(t, directory), large("after"))
}

func TestADamagedFileOnAFullDiskIsLeftUntilThereIsSpace(t *testing.T) {
	directory := disk(t)
	path := filepath.Join(directory, store.FileName)
	content := bytes.Repeat([]byte("no database "), 1000)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	empty := fill(t, directory)
	_, err := store.Open(t.Context(), directory)
	checkFault(t, err, store.Full, directory, "damaged")
	if kept, err := os.ReadFile(path); err != nil || !bytes.Equal(kept, content) {
		t.Errorf("the damaged file was touched: error %v", err)
	}
	empty()
	oneDamage(t, open(t, directory))
}

func TestAFileThatIsDamagedWhileTheDiskIsFullIsReplacedOnceThereIsSpace(t *testing.T) {
	directory := disk(t)
	s := openUntended(t, directory)
	fillWith(t, s, 500)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(directory, store.FileName)
	pages := pagesOf(t, path, "outbox")
	s = openUntended(t, directory)
	scribble(t, path, pages[1:len(pages)/2]...)
	empty := fill(t, directory)
	_, _, _, err := s.WaitingCalls(t.Context(), 0, 1000)
	mustBeDamaged(t, s, err)
	// There is no room for the note.
	if err := s.Close(); store.FaultOf(err) != store.Full {
		t.Errorf("closed with %v", err)
	}
	_, err = store.Open(t.Context(), directory)
	checkFault(t, err, store.Full, directory, "damaged")
	empty()
	s = open(t, directory)
	if left := len(waiting(t, s)); left < 200 {
		t.Errorf("%d reports wait, want those of the half that is whole", left)
	}
	oneDamage(t, s)
}

func TestADirectoryThatCannotBeWrittenToIsNamed(t *testing.T) {
	directory := disk(t)
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	commit(t, s, large("before"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	command(t, "mount", "-o", "remount,ro", directory)
	_, err = store.Open(t.Context(), directory)
	checkFault(t, err, store.ReadOnly, "storage.directory "+directory)
	command(t, "mount", "-o", "remount,rw", directory)

	path := filepath.Join(directory, store.FileName)
	command(t, "chattr", "+i", path)
	_, err = store.Open(t.Context(), directory)
	checkFault(t, err, store.ReadOnly, "storage.directory "+directory)
	command(t, "chattr", "-i", path)
	head(t, open(t, directory), "before")
}

// The file system stands still for longer than SQLite waits for a lock. The process may stand
// still with it. After that every read and write that was under way ends as it should.
func TestADiskThatStallsHoldsUpReadsAndWritesAndLosesNone(t *testing.T) {
	const stall = 6 * time.Second
	directory := disk(t)
	s := open(t, directory)
	commit(t, s, large("before"))
	head(t, s, "before")
	// The thaw must not depend on this process.
	thawing := exec.Command("bash", "-c", `fsfreeze -f "$0" && echo frozen && sleep "$1"; fsfreeze -u "$0"`, directory, fmt.Sprint(stall.Seconds()))
	said, err := thawing.StdoutPipe()
	if err == nil {
		err = thawing.Start()
	}
	if err == nil {
		_, err = said.Read(make([]byte, len("frozen\n")))
	}
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	committed, read := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := s.Commit(context.Background(), large("during"))
		committed <- err
	}()
	go func() {
		_, err := s.OldestWaiting(context.Background(), []bridge.CallID{"before"}, 1)
		read <- err
	}()
	for what, ended := range map[string]chan error{"the write": committed, "the read": read} {
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("%s: %v", what, err)
			}
		case <-time.After(stall + patience):
			t.Fatalf("%s does not end", what)
		}
	}
	if took := time.Since(began); took < stall/2 {
		t.Errorf("all was over after %v: the disk did not stand still", took)
	}
	if err := thawing.Wait(); err != nil {
		t.Error(err)
	}
	head(t, s, "during")
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
	if err := s.Inspect(t.Context()); err != nil {
		t.Errorf("after the thaw: %v", err)
	}
}

// shutDown has a disk fail everything from now on, as one that was pulled out. What was
// not flushed to it is lost.
func shutDown(t *testing.T, directory string) {
	t.Helper()
	const (
		request = 0x8004587d // EXT4_IOC_SHUTDOWN
		noFlush = 2          // EXT4_GOING_FLAGS_NOLOGFLUSH
	)
	file, err := os.Open(directory)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(file.Fd()), request, noFlush); err != nil {
		t.Errorf("taking the disk away: %v", err)
	}
	if err := file.Close(); err != nil {
		t.Error(err)
	}
}

func TestADiskThatFailsIsNamedAndLosesNothingThatWasStored(t *testing.T) {
	needsMount(t)
	image, directory := diskImage(t), t.TempDir()
	command(t, "mount", "-o", "loop", image, directory)
	s, err := store.Open(t.Context(), directory)
	if err != nil {
		t.Fatal(err)
	}
	const stored = 20
	for n := range stored {
		commit(t, s, large(bridge.CallID(fmt.Sprint("before", n))))
	}
	shutDown(t, directory)
	_, err = s.Commit(t.Context(), large("during"))
	checkFault(t, err, store.Broken, directory, "kernel's log")
	if damages := s.Rescued(); len(damages) > 0 {
		t.Errorf("a disk that fails is taken for a damage: %+v", damages)
	}
	// The file can't be written any more, so closing may fail.
	_ = s.Close()
	command(t, "umount", directory)
	again := open(t, mount(t, image, "loop"))
	for n := range stored {
		head(t, again, bridge.CallID(fmt.Sprint("before", n)))
	}
	if found := mustNext(t, again, "during"); len(found) > 0 {
		t.Error("what was refused is stored")
	}
	commit(t, again, large("after"))
	if damages := again.Rescued(); len(damages) > 0 {
		t.Errorf("damages after a disk that failed: %+v", damages)
	}
}
