package recordings

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// findNamed adds the files named after the channel or its call.
func (c *Courier) findNamed(roots fileRoots, r *bridge.Recorded, found *findings) {
	root, err := roots.in(bridge.PlaceMonitor)
	if err != nil {
		return
	}
	for _, template := range c.config.Templates {
		names, err := root.find(template, r.Channel, r.Call, r.From, r.To)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.troubles.templates.Failed(template.String(), err.Error(), zap.String("template", template.String()))
		} else {
			c.troubles.templates.Over(template.String())
		}
		for _, name := range bestOfEach(names) {
			found.add(bridge.RecordingFile{Place: bridge.PlaceMonitor, Name: name})
		}
	}
}

// bestOfEach keeps the best of the files that differ only in their endings.
func bestOfEach(names []string) []string {
	best := make(map[string]int)
	var stems []string
	for _, name := range names {
		rank := slices.Index(bridge.SoundEndings, path.Ext(name))
		if rank < 0 {
			continue // not a finished sound file
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
