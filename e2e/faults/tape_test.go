package faults_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"kontur-ari/ari"
	"kontur-ari/ari/aritest"
)

// tape is a captured call. It can be played any number of times, each time with new
// channels and bridges.
type tape struct {
	name string
	// frames are the events in order.
	frames []frame
	// channels holds the channels' unique ids, names their names without ";1" and ";2",
	// and bridges the bridges' ids.
	channels, names, bridges []string
}

// frame is an event that Asterisk sends to the daemon. unsent are the events before it
// that the daemon does not subscribe to. They change what Asterisk's lists show.
type frame struct {
	unsent []string
	sent   string
}

// loadTapes reads all captures.
func loadTapes(directory string) ([]*tape, error) {
	paths, err := filepath.Glob(filepath.Join(directory, "*.jsonl"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("there are no captures in %s", directory)
	}
	tapes := make([]*tape, len(paths))
	for i, path := range paths {
		if tapes[i], err = loadTape(path); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return tapes, nil
}

func loadTape(path string) (*tape, error) {
	raws, err := aritest.ReadEvents(path)
	if err != nil {
		return nil, err
	}
	t := &tape{name: strings.TrimSuffix(filepath.Base(path), ".jsonl")}
	seen := make(map[string]bool)
	note := func(list *[]string, value string) {
		if value != "" && !seen[value] {
			seen[value] = true
			*list = append(*list, value)
		}
	}
	var unsent []string
	for _, raw := range raws {
		var event struct {
			Type    string
			Channel struct{ ID, Name string }
			Bridge  struct{ ID string }
		}
		if err := json.Unmarshal(raw, &event); err != nil {
			return nil, err
		}
		if event.Type == "ChannelCreated" {
			note(&t.channels, event.Channel.ID)
			name, _, _ := strings.Cut(event.Channel.Name, ";")
			note(&t.names, name)
		}
		note(&t.bridges, event.Bridge.ID)
		_, err := ari.Decode(raw)
		if _, unknown := errors.AsType[*ari.UnknownTypeError](err); unknown {
			unsent = append(unsent, string(raw))
			continue
		}
		if err != nil {
			return nil, err
		}
		t.frames = append(t.frames, frame{unsent, string(raw)})
		unsent = nil
	}
	return t, nil
}

// serial matches the number that Asterisk appends to a channel's name.
var serial = regexp.MustCompile(`-[0-9a-f]{8}$`)
