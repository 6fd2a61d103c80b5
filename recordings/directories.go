package recordings

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// Directory is a directory with recordings.
type Directory struct {
	// Path is its absolute path on this machine; "" for none.
	Path string
	// InSwitch is its absolute path as Asterisk names it, where Asterisk runs in a
	// container or a chroot; "" where both are the same.
	InSwitch string
}

// local turns a name that Asterisk reported into one relative to the directory. It returns
// false for an absolute name that is not below the directory. It compares names only and
// does not look at the disk.
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

// directories are the configured ones.
func (c *Courier) directories() map[bridge.RecordingPlace]Directory {
	all := map[bridge.RecordingPlace]Directory{bridge.PlaceMonitor: c.config.Monitor, bridge.PlaceVoicemail: c.config.Voicemail}
	for place, directory := range all {
		if directory.Path == "" {
			delete(all, place)
		}
	}
	return all
}

// fileRoots are the opened directories. They are opened for each round, because a mounted
// directory may come and go.
type fileRoots struct {
	by map[bridge.RecordingPlace]*fileRoot
	// failed is why an existing directory could not be opened; nil where all could.
	failed error
}

// open opens the directories that exist, and logs why others can't be opened. The result
// must be closed.
func (c *Courier) open() fileRoots {
	roots := fileRoots{by: make(map[bridge.RecordingPlace]*fileRoot)}
	for place, directory := range c.directories() {
		root, err := openFileRoot(directory.Path)
		switch {
		case err == nil:
			roots.by[place] = root
			c.troubles.open[place].Over("")
		case errors.Is(err, fs.ErrNotExist):
			// Asterisk makes it with the first recording.
		default:
			roots.failed = err
			c.troubles.open[place].Failed("", err.Error())
		}
	}
	return roots
}

// logDirectories logs at the start, before the first recording, which directories are
// missing or can't be opened.
func (c *Courier) logDirectories() {
	roots := c.open()
	defer roots.close()
	for place, directory := range c.directories() {
		if roots.by[place] == nil && roots.failed == nil {
			c.log.Info("a directory of recordings is not there yet", zap.String("place", string(place)), zap.String("directory", directory.Path))
		}
	}
}

func (f fileRoots) close() {
	for _, root := range f.by {
		_ = root.Close() // it was read only
	}
}

// in returns the opened directory of a place, or an error that matches [fs.ErrNotExist].
func (f fileRoots) in(place bridge.RecordingPlace) (*fileRoot, error) {
	if root := f.by[place]; root != nil {
		return root, nil
	}
	return nil, fmt.Errorf("the %s directory: %w", place, fs.ErrNotExist)
}
