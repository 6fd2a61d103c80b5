package rescue_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kontur-ari/bridge/store/rescue"
	"kontur-ari/bridge/store/sqlite"
)

// damaged makes a file with a damaged page, a log beside it and a note about it. It returns
// where it is and what is in its directory.
func damaged(t *testing.T, directory string) (path string, files map[string]string) {
	t.Helper()
	path = filepath.Join(directory, "archive.db")
	filled(t, path)
	overwrite(t, path, leavesOf(t, path, "letters")[2])
	write(t, path+"-wal", []byte("no log that SQLite reads"))
	if err := rescue.Note(path, errCause); err != nil {
		t.Fatal(err)
	}
	return path, filesIn(t, directory)
}

// checkUnchanged compares what is in a directory with what was there. The index that SQLite
// makes of a log it reads holds nothing.
func checkUnchanged(t *testing.T, directory string, before map[string]string) {
	t.Helper()
	after := filesIn(t, directory)
	delete(after, "archive.db-shm")
	if maps.Equal(after, before) {
		return
	}
	for name, content := range after {
		if was, ok := before[name]; !ok || was != content {
			t.Errorf("%s is new or has another content", name)
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			t.Errorf("%s is gone", name)
		}
	}
}

func TestTheDamagedFileIsKeptAsItWasWithItsLogUnderANameOfItsOwn(t *testing.T) {
	directory := t.TempDir()
	path, before := damaged(t, directory)
	damage := run(t, planFor(path))
	if want := path + ".damaged-" + stamp; damage.Aside != want {
		t.Errorf("it was moved to %s, want %s", damage.Aside, want)
	}
	after := filesIn(t, directory)
	for name, was := range map[string]string{"archive.db.damaged-" + stamp: "archive.db", "archive.db.damaged-" + stamp + "-wal": "archive.db-wal"} {
		if after[name] != before[was] {
			t.Errorf("%s is not as %s was", name, was)
		}
		delete(after, name)
	}
	delete(after, "archive.db.damaged-"+stamp+"-shm")
	if _, ok := after["archive.db"]; !ok || len(after) != 1 {
		t.Errorf("beside the damaged file there are %v, want the new one alone", slices.Sorted(maps.Keys(after)))
	}
}

// Names carry seconds. A file with the name of a second may be there for another reason than a
// rescue within the pause: a clock that was put back.
func TestNoEarlierDamagedFileIsOverwritten(t *testing.T) {
	for _, taken := range []string{"-wal", "-shm"} {
		t.Run("taken"+taken, func(t *testing.T) {
			path, _ := damaged(t, t.TempDir())
			earlier := path + ".damaged-" + stamp + taken
			write(t, earlier, []byte("of an earlier rescue"))
			damage := run(t, planFor(path))
			if want := path + ".damaged-20260322T103836Z"; damage.Aside != want {
				t.Errorf("it was moved to %s, want %s", damage.Aside, want)
			}
			if kept := string(read(t, earlier)); kept != "of an earlier rescue" {
				t.Errorf("%s is now %q", earlier, kept)
			}
		})
	}
}

func TestASecondRescueWithinAMinuteIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		since   time.Duration
		refused bool
	}{
		"at once":                         {0, true},
		"within the minute":               {time.Minute - time.Second, true},
		"after the minute":                {time.Minute, false},
		"before it: a clock was put back": {-time.Hour, false},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			path, _ := damaged(t, directory)
			write(t, path+".damaged-"+stamp, []byte("of the last rescue"))
			write(t, path+".damaged-by-hand", []byte("of no rescue"))
			before := filesIn(t, directory)
			_, err := planFor(path).Run(t.Context(), errCause, moment.Add(test.since))
			if errors.Is(err, rescue.ErrAgain) != test.refused || (err == nil) == test.refused {
				t.Errorf("%v after the last rescue: %v", test.since, err)
			}
			if test.refused {
				checkUnchanged(t, directory, before)
			}
		})
	}
}

func TestAPathMayHoldTheCharactersOfAPattern(t *testing.T) {
	directory := filepath.Join(t.TempDir(), `a[b]*?\`)
	if err := os.Mkdir(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	path, _ := damaged(t, directory)
	run(t, planFor(path))
	if rows := storedIn(t, path, "visits"); len(rows) != 60 {
		t.Errorf("%d visits in the new file, want 60", len(rows))
	}
	if _, err := planFor(path).Run(t.Context(), errCause, moment); !errors.Is(err, rescue.ErrAgain) {
		t.Errorf("the last rescue is not seen: %v", err)
	}
}

func TestARescueThatFailsLeavesEverythingAsItWas(t *testing.T) {
	refusal := errors.New("what is missing can't be filled in")
	for name, test := range map[string]struct {
		change func(*rescue.Plan)
		ctx    func(context.Context) context.Context
		want   error
	}{
		"Complete fails":   {change: func(p *rescue.Plan) { p.Complete = func(*rescue.Copy) error { return refusal } }, want: refusal},
		"cancelled before": {ctx: func(ctx context.Context) context.Context { return cancelledAfter(ctx, 0) }, want: context.Canceled},
		"cancelled in the middle of a table": {
			ctx: func(ctx context.Context) context.Context { return cancelledAfter(ctx, 75) }, want: context.Canceled,
		},
		"cancelled at the last row": {
			ctx: func(ctx context.Context) context.Context { return cancelledAfter(ctx, 60+40+60) }, want: context.Canceled,
		},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			path, before := damaged(t, directory)
			plan, ctx := planFor(path), t.Context()
			plan.Complete = func(*rescue.Copy) error { t.Error("a copy is completed that was broken off"); return nil }
			if test.change != nil {
				test.change(&plan)
			}
			if test.ctx != nil {
				ctx = test.ctx(ctx)
			}
			if _, err := plan.Run(ctx, errCause, moment); !errors.Is(err, test.want) {
				t.Errorf("the rescue ended with %v, want %v", err, test.want)
			}
			checkUnchanged(t, directory, before)
			run(t, planFor(path))
		})
	}
}

// cancelled is a context that ends after it was asked so many times.
type cancelled struct {
	context.Context
	left int
}

func cancelledAfter(ctx context.Context, asked int) context.Context { return &cancelled{ctx, asked} }

func (c *cancelled) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

func TestAMigrationThatFailsLeavesEverythingAsItWas(t *testing.T) {
	directory := t.TempDir()
	path, before := damaged(t, directory)
	plan := planFor(path)
	plan.Migrations = append(slices.Clone(migrations), "CREATE TABLE letters (id)")
	if _, err := plan.Run(t.Context(), errCause, moment); err == nil || !strings.Contains(err.Error(), "version 3") {
		t.Errorf("the rescue ended with %v, want an error that names the version", err)
	}
	checkUnchanged(t, directory, before)
}

func TestANameThatIsTakenLeavesEverythingAsItWas(t *testing.T) {
	directory := t.TempDir()
	path, _ := damaged(t, directory)
	if err := os.MkdirAll(path+".replaces-"+stamp+"/in use", 0o700); err != nil {
		t.Fatal(err)
	}
	before := filesIn(t, directory)
	if _, err := planFor(path).Run(t.Context(), errCause, moment); err == nil || !strings.Contains(err.Error(), "beginning a new store") {
		t.Errorf("the rescue ended with %v", err)
	}
	checkUnchanged(t, directory, before)
}

func TestWhatAnUnfinishedRescueLeftIsNotUsed(t *testing.T) {
	directory := t.TempDir()
	path, _ := damaged(t, directory)
	want := storedIn(t, path, "visits")
	create(t, path+".new", 2, `INSERT INTO visits VALUES ('unfinished', 1, x'')`)
	for _, companion := range []string{"-journal", "-wal", "-shm"} {
		write(t, path+".new"+companion, []byte("left over"))
	}
	run(t, planFor(path))
	checkRows(t, "visits", storedIn(t, path, "visits"), want)
	for _, name := range namesIn(t, directory) {
		if strings.Contains(name, ".new") {
			t.Errorf("%s is still there", name)
		}
	}
}

func TestAFileThatIsMissingIsReplacedByAnEmptyOne(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "archive.db")
	write(t, path+"-wal", []byte("a log without its file"))
	damage := run(t, planFor(path))
	if !slices.Equal(damage.Unreadable, tableNames) {
		t.Errorf("unreadable are %v, want all tables", damage.Unreadable)
	}
	for table, rows := range allStoredIn(t, path) {
		checkRows(t, table, rows, nil)
	}
	if log := string(read(t, damage.Aside+"-wal")); log != "a log without its file" {
		t.Errorf("the log that was moved aside is %q", log)
	}
}

// A process may end after any step of a rescue. The steps are those of Run, in order.
func TestTheNextStartFinishesARescueThatWasBrokenOff(t *testing.T) {
	aside := "archive.db.damaged-" + stamp
	for name, test := range map[string]struct {
		files    map[string]string
		finished bool
	}{
		"while the new file was filled": {map[string]string{
			"archive.db": "damaged", "archive.db-wal": "log", noteName: "cause", "archive.db.new": "half", "archive.db.new-journal": "half",
		}, false},
		"when it was filled": {map[string]string{
			"archive.db": "damaged", "archive.db-wal": "log", noteName: "cause", "archive.db.replaces-" + stamp: "new",
		}, true},
		"when the note was removed": {map[string]string{
			"archive.db": "damaged", "archive.db-wal": "log", "archive.db.replaces-" + stamp: "new",
		}, true},
		"when the log was moved": {map[string]string{
			"archive.db": "damaged", aside + "-wal": "log", "archive.db.replaces-" + stamp: "new",
		}, true},
		"when all was moved": {map[string]string{
			aside: "damaged", aside + "-wal": "log", "archive.db.replaces-" + stamp: "new",
		}, true},
		"when all was done": {map[string]string{
			aside: "damaged", aside + "-wal": "log", "archive.db": "new",
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			directory := t.TempDir()
			path := filepath.Join(directory, "archive.db")
			for file, content := range test.files {
				write(t, filepath.Join(directory, file), []byte(content))
			}
			want := map[string]string{"archive.db": "new", aside: "damaged", aside + "-wal": "log"}
			if name == "while the new file was filled" {
				want = map[string]string{"archive.db": "damaged", "archive.db-wal": "log", noteName: "cause"}
			}
			found, err := rescue.Finish(path, moment)
			if err != nil {
				t.Fatal(err)
			}
			if got := filesIn(t, directory); !maps.Equal(got, want) {
				t.Errorf("there is %v, want %v", got, want)
			}
			if (len(found) == 1) != test.finished || len(found) > 1 {
				t.Fatalf("finished %+v", found)
			}
			if test.finished && (found[0].Aside != filepath.Join(directory, aside) || found[0].Cause == nil || !found[0].Found.Equal(moment) || found[0].Saved != nil) {
				t.Errorf("finished %+v", found[0])
			}
			if found, err := rescue.Finish(path, moment); err != nil || len(found) > 0 {
				t.Errorf("a second start finished %+v, error %v", found, err)
			}
		})
	}
}

func TestAFileThatCannotBeOpenedIsNotTakenForADamagedOne(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "archive.db")
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	before := filesIn(t, directory)
	if _, err := planFor(path).Run(t.Context(), errCause, moment); sqlite.Classify(err) != sqlite.Broken {
		t.Errorf("the rescue of a directory: %v", err)
	}
	checkUnchanged(t, directory, before)
}

// A log without its database is one that lost it: see Look.
func TestTheDatabaseLeavesItsPlaceAfterItsLog(t *testing.T) {
	directory := t.TempDir()
	path := filepath.Join(directory, "archive.db")
	for _, name := range []string{path, path + "-wal", path + "-shm", path + ".replaces-" + stamp} {
		write(t, name, []byte(name))
	}
	if err := os.MkdirAll(path+".damaged-"+stamp+"-shm/in use", 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := rescue.Finish(path, moment); err == nil || !strings.Contains(err.Error(), "moving the damaged store aside") {
		t.Errorf("the rescue ended with %v", err)
	}
	if content := string(read(t, path)); content != path {
		t.Errorf("the database is now %q", content)
	}
	if err := os.RemoveAll(path + ".damaged-" + stamp + "-shm"); err != nil {
		t.Fatal(err)
	}
	if found, err := rescue.Finish(path, moment); err != nil || len(found) != 1 || string(read(t, path)) != path+".replaces-"+stamp {
		t.Errorf("the next start finished %+v, error %v", found, err)
	}
}
