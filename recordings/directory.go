package recordings

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"kontur-ari/bridge"
)

// Directory is where recordings are.
type Directory struct {
	// Path is its absolute path here; "" for none.
	Path string
	// InSwitch is its absolute path as the switch has it, where that runs in a container
	// or a chroot; "" where it is the same.
	InSwitch string
}

// local is a name that the switch has told as it is below the directory; false when it
// is not below it by the words alone. A name that is not absolute is.
func (d Directory) local(name string) (string, bool) {
	if !filepath.IsAbs(name) {
		return name, d.Path != ""
	}
	top := d.InSwitch
	if top == "" {
		top = d.Path
	}
	below, ok := strings.CutPrefix(filepath.Clean(name), strings.TrimSuffix(top, "/")+"/")
	return below, ok && top != ""
}

// folders are the directories while somebody looks into them: they are opened each time,
// since one may come and go, as a mounted one does.
type folders struct {
	by map[bridge.RecordingPlace]*Folder
	// failed is why one is not among them that is there.
	failed error
}

// open opens the directories that are there. What is wrong with others is told.
func (c *Courier) open() folders {
	open := folders{by: make(map[bridge.RecordingPlace]*Folder)}
	for place, directory := range c.directories() {
		folder, err := OpenFolder(directory.Path)
		switch {
		case err == nil:
			open.by[place] = folder
			c.trouble.over("the "+string(place)+" directory can't be opened", "the "+string(place)+" directory can be opened again")
		case errors.Is(err, fs.ErrNotExist):
			// Asterisk makes it with the first recording.
		default:
			open.failed = err
			c.trouble.because("the "+string(place)+" directory can't be opened", err.Error())
		}
	}
	return open
}

func (c *Courier) directories() map[bridge.RecordingPlace]Directory {
	all := map[bridge.RecordingPlace]Directory{bridge.PlaceMonitor: c.config.Monitor, bridge.PlaceVoicemail: c.config.Voicemail}
	for place, directory := range all {
		if directory.Path == "" {
			delete(all, place)
		}
	}
	return all
}

func (f folders) close() {
	for _, folder := range f.by {
		_ = folder.Close() // it was read only
	}
}

// in is the folder of a place; an error that matches [fs.ErrNotExist] where it is not
// there.
func (f folders) in(place bridge.RecordingPlace) (*Folder, error) {
	if folder := f.by[place]; folder != nil {
		return folder, nil
	}
	return nil, fmt.Errorf("the %s directory: %w", place, fs.ErrNotExist)
}

// unreadable is why a directory can't be looked into that is there; nil where all can.
func (f folders) unreadable() error { return f.failed }
