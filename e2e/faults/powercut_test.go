package faults_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// onADisk gives the daemon a disk of its own.
func onADisk(o *office, megabytes int) (err error) {
	if o.disk, err = newDisk(o.t, megabytes); err == nil {
		o.storage = filepath.Join(o.disk.point, "storage")
	}
	return err
}

// A power cut keeps what was synced and loses what was not. This shows that powerCut is
// a fair model of a real one.
func TestAPowerCutTakesWhatWasNotSynced(t *testing.T) {
	t.Parallel()
	d, err := newDisk(t, 32)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, sync bool) {
		t.Helper()
		file, err := os.Create(filepath.Join(d.point, name))
		if err != nil {
			t.Fatal(err)
		}
		_, err = file.WriteString("written")
		if sync {
			err = errors.Join(err, file.Sync())
		}
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
	}
	write("synced", true)
	write("not synced", false)
	if err := d.powerCut(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(filepath.Join(d.point, "synced")); err != nil || string(text) != "written" {
		t.Errorf("what was synced is %q: %v", text, err)
	}
	if text, err := os.ReadFile(filepath.Join(d.point, "not synced")); err == nil && len(text) > 0 {
		t.Errorf("what was not synced is %q", text)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// A power cut of the host takes nothing that the daemon had stored. Only events on their
// way may be lost.
func TestAPowerCutTakesNothingThatWasStored(t *testing.T) {
	fault{
		name: "power cut", full: 100, short: 6, parts: 4, repeats: "one a call and cut",
		prepare: func(o *office) error { return errors.Join(slowly(o), onADisk(o, 256)) },
		strike: func(ctx context.Context, o *office, _ int) (allowance, error) {
			if err := o.daemon.Kill(); err != nil {
				return allowance{}, err
			}
			o.judge.cuts()
			if err := o.disk.powerCut(); err != nil {
				return allowance{}, err
			}
			o.healed()
			return allowance{cuts: true, crashes: true}, o.daemon.Start(ctx)
		},
	}.run(t)
}
