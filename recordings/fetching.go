package recordings

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"kontur-ari/bridge"
)

// fetchTime bounds one transfer from the switch, which usually is on the same machine.
const fetchTime = time.Minute

// inSwitch reports whether the switch keeps the files of a place.
func inSwitch(place bridge.RecordingPlace) bool {
	return place == bridge.PlaceSwitch || place == bridge.PlaceOwn
}

// storedFile names a recording that the switch keeps as a file; own says that kontur-ari
// had it recorded. storedName is the reverse.
func storedFile(stored bridge.StoredFile, own bool) bridge.RecordingFile {
	file := bridge.RecordingFile{Place: bridge.PlaceSwitch, Name: stored.Name + "." + stored.Format}
	if own {
		file.Place = bridge.PlaceOwn
	}
	return file
}

func storedName(file string) string { return strings.TrimSuffix(file, path.Ext(file)) }

// fetched is the path of the local copy of a recording of the switch.
func (c *Courier) fetched(job bridge.RecordingJob) string {
	return filepath.Join(c.config.Scratch, fmt.Sprintf("%d%s", job.ID, path.Ext(job.File.Name)))
}

// fetch copies a recording from the switch and observes the copy. The error matches
// [bridge.ErrNoStoredRecording] where the switch has none.
func (c *Courier) fetch(ctx context.Context, job bridge.RecordingJob) (seen observation, modified time.Time, err error) {
	seen.At = time.Now()
	if c.outside.Stored == nil {
		return seen, modified, bridge.ErrNoStoredRecording
	}
	file, err := os.OpenFile(c.fetched(job), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return seen, modified, fmt.Errorf("making room for a recording: %w", err)
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil {
			_ = os.Remove(c.fetched(job))
		}
	}()
	limited, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	if err := c.outside.Stored.FetchRecording(limited, storedName(job.File.Name), file); err != nil {
		return seen, modified, fmt.Errorf("fetching a recording from the switch: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return seen, modified, err
	}
	seen = observation{At: time.Now(), There: true, Size: info.Size()}
	seen.Sound, err = readSound(file, info.Size())
	return seen, info.ModTime(), err
}

// emptied makes an empty directory, and removes what an earlier one held.
func emptied(directory string) error {
	if err := os.RemoveAll(directory); err != nil {
		return fmt.Errorf("emptying the directory %s: %w", directory, err)
	}
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return fmt.Errorf("making the directory %s: %w", directory, err)
	}
	return nil
}

// openFetched opens the local copy of a recording of the switch. It fetches the recording
// again where an earlier process made the copy.
func (c *Courier) openFetched(ctx context.Context, job bridge.RecordingJob) (*os.File, error) {
	content, err := os.Open(c.fetched(job))
	if errors.Is(err, fs.ErrNotExist) {
		if _, _, err := c.fetch(ctx, job); err != nil {
			return nil, err
		}
		content, err = os.Open(c.fetched(job))
	}
	if err != nil {
		return nil, fmt.Errorf("opening a recording that was fetched: %w", err)
	}
	info, err := content.Stat()
	if err == nil && info.Size() != job.Size {
		err = errors.Join(bridge.ErrChanged, os.Remove(c.fetched(job)))
	}
	if err != nil {
		return nil, errors.Join(err, content.Close())
	}
	return content, nil
}
