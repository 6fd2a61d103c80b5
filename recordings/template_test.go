package recordings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kontur-ari/bridge"
)

func template(t *testing.T, text string) Template {
	t.Helper()
	parsed, err := ParseTemplate(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestATemplateThatCannotWorkIsRefused(t *testing.T) {
	for text, words := range map[string]string{
		"":                               "empty",
		"/{uniqueid}.wav":                "no path below",
		"../{uniqueid}.wav":              "no path below",
		"a//{uniqueid}.wav":              "no path below",
		"{uniqueid}.wav/":                "no path below",
		"*.wav":                          "whose",
		"{year}/{month}/{day}/*.wav":     "whose",
		"{uniqueid}[0-9].wav":            "only *",
		"{uniqueid}?.wav":                "only *",
		`{uniqueid}\.wav`:                "only *",
		"{uniqueid}/{extension}.wav":     "{extension is none of",
		"{uniqueid}/{year.wav":           "is none of",
		"{uniqueid}-{UNIQUEID}.wav":      "is none of",
		"{year}/{linkedid}-{uniqueid}{}": "is none of",
	} {
		if _, err := ParseTemplate(text); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v, want an error about %q", text, err, words)
		}
	}
	for _, text := range []string{"{uniqueid}.wav", "*{linkedid}*", "{year}/{month}/{day}/*-{uniqueid}.wav"} {
		if got := template(t, text).String(); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

func TestRecordingsAreFoundByTheirNames(t *testing.T) {
	path := t.TempDir()
	for _, name := range []string{
		"2026/03/01/external-101-79997775533-20260301-235900-1795401475.25.wav",
		"2026/03/01/external-101-79997775533-20260301-235900-1795401475.2.wav",
		"2026/03/02/q-700-79997775533-20260302-000100-1795401475.25.wav",
		"2026/03/03/q-700-79997775533-20260303-000100-1795401475.25.wav",
		"1795401475.25.wav", "1795401475.25-in.wav", "1795401475.25-out.wav", "1795401475.251.wav", "11795401475.25.wav",
		"pbx[1]-1795401475.25.wav", "pbx1-1795401475.25.wav", "*.wav",
		"111.wav", "1.1.1.wav",
	} {
		if err := os.MkdirAll(filepath.Join(path, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	folder, err := openFileRoot(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := folder.Close(); err != nil {
			t.Error(err)
		}
	})
	evening := time.Date(2026, 3, 1, 23, 59, 0, 0, time.Local)
	const freePBX = "{year}/{month}/{day}/*-{uniqueid}.wav"
	for _, test := range []struct {
		name, template string
		channel        bridge.ChannelID
		call           bridge.CallID
		lasted         time.Duration
		want           []string
	}{
		{"in a dated folder", freePBX, "1795401475.25", "", 30 * time.Second, []string{"2026/03/01/external-101-79997775533-20260301-235900-1795401475.25.wav"}},
		{"over midnight", freePBX, "1795401475.25", "", 2 * time.Minute, []string{
			"2026/03/01/external-101-79997775533-20260301-235900-1795401475.25.wav", "2026/03/02/q-700-79997775533-20260302-000100-1795401475.25.wav"}},
		{"over two midnights", freePBX, "1795401475.25", "", 25 * time.Hour, []string{
			"2026/03/01/external-101-79997775533-20260301-235900-1795401475.25.wav", "2026/03/02/q-700-79997775533-20260302-000100-1795401475.25.wav",
			"2026/03/03/q-700-79997775533-20260303-000100-1795401475.25.wav"}},
		{"another channel", freePBX, "1795401475.2", "", time.Second, []string{"2026/03/01/external-101-79997775533-20260301-235900-1795401475.2.wav"}},
		{"by the call", "{linkedid}.wav", "1795401475.26", "1795401475.25", time.Second, []string{"1795401475.25.wav"}},
		{"several of one channel", "{uniqueid}*", "1795401475.25", "", time.Second, []string{"1795401475.25-in.wav", "1795401475.25-out.wav", "1795401475.25.wav"}},
		{"an id that looks like a pattern", "{uniqueid}.wav", "pbx[1]-1795401475.25", "", time.Second, []string{"pbx[1]-1795401475.25.wav"}},
		{"an id that is a pattern", "{uniqueid}.wav", "*", "", time.Second, []string{"*.wav"}},
		{"an id within a number of its own digits", "*{uniqueid}*", "1.1", "", time.Second, []string{"1.1.1.wav"}},
		{"an id that leads elsewhere", "{uniqueid}.wav", "../1795401475.25", "", time.Second, nil},
		{"no id", "{uniqueid}*", "", "1795401475.25", time.Second, nil},
		{"no such folder", "elsewhere/{uniqueid}.wav", "1795401475.25", "", time.Second, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := folder.find(template(t, test.template), test.channel, test.call, evening, evening.Add(test.lasted))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}
