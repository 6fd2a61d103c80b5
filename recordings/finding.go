package recordings

import (
	"path"
	"path/filepath"
	"slices"
	"strings"

	"kontur-ari/bridge"
)

// findings are the recordings of a channel.
type findings struct {
	// files exist, or were reported with a path and may still appear.
	files []bridge.RecordingFile
	// missing were reported by a name for which there is no file yet.
	missing []bridge.RecordingFile
	// reported: Asterisk reported at least one recording.
	reported bool
}

// find returns the recordings of a channel: those that Asterisk reported, or else those
// whose names hold its id. The first way that finds any is the last one asked.
func (c *Courier) find(roots fileRoots, r *bridge.Recorded) findings {
	var found findings
	for _, stored := range r.Stored {
		found.reported = true
		found.add(storedFile(stored, r.Own))
	}
	if found.reported {
		return found
	}
	names := r.Messages
	if r.Talked() {
		names = slices.Concat(r.Files, r.Messages)
	}
	for _, name := range names {
		found.reported = true
		file, sure := c.resolve(roots, name, r)
		if sure {
			found.add(file)
		} else {
			found.missing = append(found.missing, file)
		}
	}
	if found.reported {
		found.missing = slices.DeleteFunc(found.missing, func(file bridge.RecordingFile) bool {
			return found.standsFor(file) || slices.Contains(r.Messages, file.Name)
		})
		return found
	}
	if r.Talked() {
		c.findNamed(roots, r, &found)
	}
	c.findMessages(roots, r, &found)
	return found
}

// add adds a file once: a dial plan may report both its name and its path.
func (f *findings) add(file bridge.RecordingFile) {
	if !slices.Contains(f.files, file) {
		f.files = append(f.files, file)
	}
}

// standsFor reports whether a file was found by its path that was also reported by its
// name alone.
func (f *findings) standsFor(bare bridge.RecordingFile) bool {
	return slices.ContainsFunc(f.files, func(file bridge.RecordingFile) bool {
		return path.Base(file.Stem()) == path.Base(bare.Stem())
	})
}

// resolve returns the file that Asterisk means by a name; false where that isn't clear yet.
func (c *Courier) resolve(roots fileRoots, name string, r *bridge.Recorded) (bridge.RecordingFile, bool) {
	for _, place := range []bridge.RecordingPlace{bridge.PlaceMonitor, bridge.PlaceVoicemail} {
		directory := c.directories()[place]
		local, ok := directory.local(name)
		if !ok {
			continue
		}
		candidates := []string{local}
		if !filepath.IsAbs(name) && place == bridge.PlaceMonitor {
			candidates = c.candidates(local, r)
		}
		for _, candidate := range candidates {
			if there, found := roots.like(place, candidate); found {
				return bridge.RecordingFile{Place: place, Name: there}, true
			}
		}
		if filepath.IsAbs(name) && path.Ext(local) != "" {
			return bridge.RecordingFile{Place: place, Name: local}, true
		}
	}
	return bridge.RecordingFile{Place: bridge.PlaceMonitor, Name: name}, false
}

// candidates are the possible paths of a file that was reported by its name alone: in the
// directory itself, or in the templates' directories of that day.
func (c *Courier) candidates(name string, r *bridge.Recorded) []string {
	found := []string{name}
	for _, template := range c.config.Templates {
		for _, directory := range template.directories(r.From, r.To) {
			found = append(found, path.Join(directory, name))
		}
	}
	return found
}

// like returns the file of a name, or else the best of those with another ending.
// Applications may report a name without an ending, and a command that runs after the
// recording may change it.
func (f fileRoots) like(place bridge.RecordingPlace, name string) (string, bool) {
	root := f.by[place]
	if root == nil {
		return "", false
	}
	if slices.Contains(bridge.SoundEndings, path.Ext(name)) {
		if root.there(name) {
			return name, true
		}
		name = strings.TrimSuffix(name, path.Ext(name))
	}
	for _, ending := range bridge.SoundEndings {
		if root.there(name + ending) {
			return name + ending, true
		}
	}
	return "", false
}

// there reports whether a file of that name exists, of whatever kind.
func (f *fileRoot) there(name string) bool {
	if strings.ContainsRune(name, 0) {
		return false
	}
	_, err := f.root.Stat(name)
	return err == nil
}
