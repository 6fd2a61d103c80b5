package recordings

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// findings are what was found out about the recordings of a channel.
type findings struct {
	// files are there, or were told by a path and may come.
	files []bridge.RecordingFile
	// missing were told by a name that leads to nothing, yet.
	missing []bridge.RecordingFile
	// told: the switch has told of some.
	told bool
}

// find looks for the recordings of a channel: where the switch has told of any, those;
// else those whose names say that they are.
func (c *Courier) find(open folders, r *bridge.Recorded) findings {
	var found findings
	for _, stored := range r.Stored {
		found.told = true
		found.add(storedFile(stored, r.Made))
	}
	if found.told {
		return found
	}
	names := r.Messages
	if r.Talked() {
		names = slices.Concat(r.Files, r.Messages)
	}
	for _, name := range names {
		found.told = true
		file, sure := c.resolve(open, name, r)
		if sure {
			found.add(file)
		} else {
			found.missing = append(found.missing, file)
		}
	}
	if found.told {
		found.missing = slices.DeleteFunc(found.missing, func(file bridge.RecordingFile) bool {
			return found.standsFor(file) || slices.Contains(r.Messages, file.Name)
		})
		return found
	}
	if r.Talked() {
		c.findNamed(open, r, &found)
	}
	c.findMessages(open, r, &found)
	return found
}

// add adds a file once: a dial plan may tell both its name and its path.
func (f *findings) add(file bridge.RecordingFile) {
	if !slices.Contains(f.files, file) {
		f.files = append(f.files, file)
	}
}

// standsFor tells whether a file was found by its path that was told by its name alone too.
func (f *findings) standsFor(bare bridge.RecordingFile) bool {
	return slices.ContainsFunc(f.files, func(file bridge.RecordingFile) bool {
		return path.Base(file.Stem()) == path.Base(bare.Stem())
	})
}

// resolve is the file that the switch means by a name; false where it can't be told yet
// which that is.
func (c *Courier) resolve(open folders, name string, r *bridge.Recorded) (bridge.RecordingFile, bool) {
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
			if there, found := open.like(place, candidate); found {
				return bridge.RecordingFile{Place: place, Name: there}, true
			}
		}
		if filepath.IsAbs(name) && path.Ext(local) != "" {
			return bridge.RecordingFile{Place: place, Name: local}, true
		}
	}
	return bridge.RecordingFile{Place: bridge.PlaceMonitor, Name: name}, false
}

// candidates are where a file may be of which only the name was told: in the directory
// itself, or where the templates say that files of that day are.
func (c *Courier) candidates(name string, r *bridge.Recorded) []string {
	found := []string{name}
	for _, template := range c.config.Templates {
		for _, directory := range template.directories(r.From, r.To) {
			found = append(found, path.Join(directory, name))
		}
	}
	return found
}

// like is the file of a name, or where there is none, the best of those that differ in
// their ending: an application may tell a name without one, and what is done to a
// recording afterwards may change it.
func (f folders) like(place bridge.RecordingPlace, name string) (string, bool) {
	folder := f.by[place]
	if folder == nil {
		return "", false
	}
	if slices.Contains(bridge.SoundEndings, path.Ext(name)) {
		if folder.there(name) {
			return name, true
		}
		name = strings.TrimSuffix(name, path.Ext(name))
	}
	for _, ending := range bridge.SoundEndings {
		if folder.there(name + ending) {
			return name + ending, true
		}
	}
	return "", false
}

// there tells whether there is a file of that name, of whatever kind: what it is shows
// when it is opened.
func (f *Folder) there(name string) bool {
	if strings.ContainsRune(name, 0) {
		return false
	}
	_, err := f.root.Stat(name)
	return err == nil
}

// findNamed looks for files named after the channel or its call.
func (c *Courier) findNamed(open folders, r *bridge.Recorded, found *findings) {
	folder, err := open.in(bridge.PlaceMonitor)
	if err != nil {
		return
	}
	for _, template := range c.config.Templates {
		names, err := folder.Find(template, r.Channel, r.Call, r.From, r.To)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.trouble.because("recordings can't be looked for", err.Error(), zap.String("template", template.String()))
		}
		for _, name := range bestOfEach(names) {
			found.add(bridge.RecordingFile{Place: bridge.PlaceMonitor, Name: name})
		}
	}
}

// bestOfEach leaves one of the files that differ in their endings only.
func bestOfEach(names []string) []string {
	best := make(map[string]int)
	var stems []string
	for _, name := range names {
		rank := slices.Index(bridge.SoundEndings, path.Ext(name))
		if rank < 0 {
			continue // no sound: a text beside it, or a file that is being made
		}
		stem := strings.TrimSuffix(name, path.Ext(name))
		if known, ok := best[stem]; !ok {
			stems, best[stem] = append(stems, stem), rank
		} else if rank < known {
			best[stem] = rank
		}
	}
	chosen := make([]string, len(stems))
	for i, stem := range stems {
		chosen[i] = stem + bridge.SoundEndings[best[stem]]
	}
	return chosen
}

// directories are those that a template means for files of a call that lived from one
// moment to another, as far as it names them.
func (t Template) directories(from, to time.Time) []string {
	if strings.Contains(path.Dir(t.text), "*") {
		return nil
	}
	var found []string
	for _, pattern := range (Template{path.Dir(t.text) + "/file"}).patterns(nil, from, to) {
		found = append(found, path.Dir(pattern))
	}
	return found
}
