package configs

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNamesOfRecordingsThatCannotWorkAreRefused(t *testing.T) {
	const (
		shape = "not a name below recordings.directory; write a path without a slash at its ends"
		whose = "it can't be told whose a file of that name is; write {uniqueid} or {linkedid}"
	)
	for name, want := range map[string]string{
		``:                              shape,
		`/{uniqueid}.wav`:               shape,
		`{uniqueid}/`:                   shape,
		`a//{uniqueid}.wav`:             shape,
		`./{uniqueid}.wav`:              shape,
		`a/./{uniqueid}.wav`:            shape,
		`../{uniqueid}.wav`:             shape,
		`{year}/../{uniqueid}.wav`:      shape,
		`{uniqueid}/..`:                 shape,
		`{uniqueid}?.wav`:               shape,
		`{uniqueid}[0-9].wav`:           shape,
		`{uniqueid}].wav`:               shape,
		`{uniqueid}\*.wav`:              shape,
		`{extension}-{uniqueid}.wav`:    shape,
		`{UniqueID}.wav`:                shape,
		`{ uniqueid }.wav`:              shape,
		`{uniqueid.wav`:                 shape,
		`uniqueid}-{linkedid}.wav`:      shape,
		`{{uniqueid}}.wav`:              shape,
		`{year{uniqueid}}.wav`:          shape,
		`{}-{uniqueid}.wav`:             shape,
		`*.wav`:                         whose,
		`uniqueid.wav`:                  whose,
		`{year}/{month}/{day}/call.wav`: whose,
	} {
		t.Run(name, func(t *testing.T) {
			found := problems(t, minimal+"recordings: {names: ['*-{uniqueid}.*', '"+name+"']}\n")
			if len(found) != 1 || found[0].Key != "recordings.names[1]" || !strings.Contains(found[0].Text, want) {
				t.Errorf("problems %v\nwant one of recordings.names[1] with %q", found, want)
			}
		})
	}
	if found := problems(t, minimal+`recordings: {names: ["{uniqueid}\0.wav"]}`+"\n"); len(found) != 1 || found[0].Key != "recordings.names[0]" {
		t.Errorf("a name with a zero byte: problems %v", found)
	}
}

func TestEachBadNameOfRecordingsIsAProblemOfItsOwn(t *testing.T) {
	found := problems(t, minimal+"recordings:\n  names:\n    - '*.wav'\n    - '{uniqueid}.*'\n    - '/{linkedid}.*'\n")
	if len(found) != 2 || found[0].Key != "recordings.names[0]" || found[1].Key != "recordings.names[2]" ||
		!strings.HasSuffix(found[0].Where, ":9") || !strings.HasSuffix(found[1].Where, ":11") {
		t.Errorf("problems %v, want those of lines 9 and 11", found)
	}
}

func TestNamesOfRecordingsAreReadAsTheyAreWritten(t *testing.T) {
	for content, want := range map[string][]string{
		"":                            Default().Recordings.Names,
		"recordings: {enabled: true}": Default().Recordings.Names,
		"recordings: {names: []}":     {},
		"recordings: {names: ['{year}/{month}/{day}/*-{uniqueid}.wav', 'a b/{linkedid}*', '..{uniqueid}..', 'Иван, {linkedid}.*']}": {
			"{year}/{month}/{day}/*-{uniqueid}.wav", "a b/{linkedid}*", "..{uniqueid}..", "Иван, {linkedid}.*",
		},
	} {
		cfg, _ := load(t, minimal+content+"\n")
		if diff := cmp.Diff(want, cfg.Recordings.Names); diff != "" {
			t.Errorf("%s: names (-want +got):\n%s", content, diff)
		}
	}
}

func TestRecordingsAreKeptAsLongAsIsSaid(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"forever": -1, "delete": 0, "1s": time.Second, "90m": 90 * time.Minute, "72h": 72 * time.Hour, "8760h": 8760 * time.Hour, "31536000s": 8760 * time.Hour,
	} {
		cfg, _ := load(t, minimal+"recordings: {keep: "+text+"}\n")
		if got := cfg.Recordings.KeepFor(); got != want {
			t.Errorf("keep: %s is for %v, want %v", text, got, want)
		}
	}
	if got := Default().Recordings.KeepFor(); got >= 0 {
		t.Errorf("by default a recording is removed after %v", got)
	}
	// What Load would not take is no reason to remove anything.
	for _, text := range []string{"", "nonsense", "3", "999999999h"} {
		if got := (Recordings{Keep: text}).KeepFor(); got >= 0 {
			t.Errorf("keep: %q is for %v", text, got)
		}
	}
}

func TestATimeForWhichNoRecordingCanBeKeptIsRefused(t *testing.T) {
	const (
		shape = "; write forever, delete, or how long a file stays once the CRM has it, such as 72h"
		limit = "out of range; write forever, delete, or a time up to 8760h"
	)
	for text, want := range map[string]string{
		"''":         "empty" + shape,
		"never":      "not what is wanted" + shape,
		"Forever":    "not what is wanted" + shape,
		"72":         "not what is wanted" + shape,
		"0":          "not what is wanted" + shape,
		"0s":         "not what is wanted" + shape,
		"-72h":       "not what is wanted" + shape,
		"3d":         "not what is wanted" + shape,
		"1.5h":       "not what is wanted" + shape,
		"1h30m":      "not what is wanted" + shape,
		"100ms":      "not what is wanted" + shape,
		"72h or so":  "not what is wanted" + shape,
		"true":       "not what is wanted" + shape,
		"8761h":      limit,
		"525601m":    limit,
		"31536001s":  limit,
		"2562047h":   limit,
		"2562048h":   limit, // more than a time.Duration holds
		"999999999h": limit,
		"[72h]":      "a single value is wanted here",
	} {
		t.Run(text, func(t *testing.T) {
			found := problems(t, minimal+"recordings: {keep: "+text+"}\n")
			if len(found) != 1 || found[0].Key != "recordings.keep" || !strings.Contains(found[0].Text, want) {
				t.Errorf("problems %v\nwant one of recordings.keep with %q", found, want)
			}
		})
	}
}
