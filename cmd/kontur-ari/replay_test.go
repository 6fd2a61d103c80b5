package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const captures = "../../e2e/testdata/captures/"

// sqliteHeader is what every SQLite file begins with.
const sqliteHeader = "SQLite format 3\x00"

// officeConfig is the configuration of the office in the captures. It has no secrets,
// since a replay needs none.
func officeConfig(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "office.yaml")
	text := `
directory:
  users:
    - {user_id: u101, extension: "101"}
    - {user_id: u102, extension: "102"}
    - {user_id: u103, extension: "103"}
    - {user_id: u107, extension: "107"}
  trunks:
    - {endpoint: PJSIP/trunk, number: "79229929292"}
    - {endpoint: PJSIP/trunk2, number: "79229929292"}
kontur: {api_key_file: /nowhere/at/all}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// replayed runs the replay command in the office of the captures.
func replayed(t testing.TB, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	root := rootCommand()
	root.SetIn(strings.NewReader(stdin))
	code = execute(t.Context(), root, append([]string{"replay", "--config", officeConfig(t)}, args...), &out, &errs)
	return code, out.String(), errs.String()
}

// mustReplay is replayed, but fails the test unless the exit code is 0.
func mustReplay(t testing.TB, stdin string, args ...string) (stdout, stderr string) {
	t.Helper()
	code, stdout, stderr := replayed(t, stdin, args...)
	if code != exitOK {
		t.Fatalf("replay %v: exit code %d: %s", args, code, stderr)
	}
	return stdout, stderr
}

func writeFile(t testing.TB, name, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func compareGolden(t *testing.T, folder, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", folder, name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("no golden file: run go test ./cmd/kontur-ari -run %s -update and read what it wrote: %v", t.Name(), err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("output (-want, from %s +got):\n%s", path, diff)
	}
}

func TestACaptureIsShownAsALadderOrAsReports(t *testing.T) {
	for _, name := range []string{"inbound_hold", "inbound_group"} {
		stdout, stderr := mustReplay(t, "", captures+name+".jsonl")
		compareGolden(t, "replay", name+".txt", stdout)
		if stderr != "" {
			t.Errorf("%s: on standard error: %s", name, stderr)
		}
		stdout, stderr = mustReplay(t, "", "--json", captures+name+".jsonl")
		compareGolden(t, "replay", name+".jsonl", stdout)
		if !strings.Contains(stderr, "not interpreted: ") {
			t.Errorf("%s: standard error does not say what was not interpreted: %s", name, stderr)
		}
	}
}

// A journal also holds click-to-calls: here one that rings two telephones, one to a
// busy telephone, and one for a telephone that does not exist.
func TestClickToCallsAreShownInALadder(t *testing.T) {
	stdout, stderr := mustReplay(t, "", filepath.Join("testdata", "replay", "ordered.events.jsonl"))
	compareGolden(t, "replay", "ordered.txt", stdout)
	if stderr != "" {
		t.Errorf("on standard error: %s", stderr)
	}
}

func TestStandardInputAndAnyWayOfWritingGiveTheSameReports(t *testing.T) {
	content, err := os.ReadFile(captures + "inbound_hold.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	want, _ := mustReplay(t, "", "--json", captures+"inbound_hold.jsonl")
	_, events, _ := strings.Cut(string(content), "\n")
	for name, text := range map[string]string{
		"as it is": string(content),
		"a list":   "[\n" + strings.ReplaceAll(strings.TrimSpace(events), "\n", ",\n") + "\n]",
		"indented": strings.ReplaceAll(events, `{"type":`, "{\n  \"type\":"),
		"one line": strings.ReplaceAll(events, "\n", " "),
	} {
		got, _ := mustReplay(t, text, "--json", "-")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLinesThatCannotBeReadAreNamedAndTheRestGoesOn(t *testing.T) {
	content, err := os.ReadFile(captures + "inbound_hold.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	damaged := strings.Replace(string(content), "\n", "\nwhat is this\n{\"type\":\"Dial\n{\"no\":\"type\"}\n", 1)
	path := writeFile(t, "damaged.jsonl", damaged)
	want, _ := mustReplay(t, "", "--json", captures+"inbound_hold.jsonl")
	code, got, stderr := replayed(t, "", "--json", path)
	if code != exitFailure {
		t.Errorf("exit code %d, want %d", code, exitFailure)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reports (-want +got):\n%s", diff)
	}
	for _, words := range []string{path + ", line 2: ", ", line 3: ", ", line 4: ", "3 places can't be read, the first is line 2"} {
		if !strings.Contains(stderr, words) {
			t.Errorf("standard error does not say %q:\n%s", words, stderr)
		}
	}
	many := writeFile(t, "many.jsonl", strings.Repeat("x\n", 1000)+string(content))
	if _, _, stderr := replayed(t, "", many); strings.Count(stderr, "\n") > 25 || !strings.Contains(stderr, "1000 places") {
		t.Errorf("standard error of 1000 bad lines:\n%s", stderr)
	}
}

func TestCallsThatGoOnBehindTheEndAreListed(t *testing.T) {
	const created = `{"type":"ChannelCreated","timestamp":"2026-11-23T12:30:00.000+0000","channel":{"id":"%","name":"PJSIP/@","state":"Ring","dialplan":{"exten":"78005550101"}}}` + "\n"
	text := strings.NewReplacer("%", "1.1", "@", "trunk-1").Replace(created) + strings.NewReplacer("%", "1.2", "@", "101-1").Replace(created)
	stdout, _ := mustReplay(t, text, "-")
	for _, words := range []string{"still in progress: call 1.1, its end is not in the file", "still in progress: call 1.2, nothing was reported of it"} {
		if !strings.Contains(stdout, words) {
			t.Errorf("the replay does not say %q:\n%s", words, stdout)
		}
	}
	if stdout, _ := mustReplay(t, text, "--call", "1.2", "-"); strings.Contains(stdout, "1.1") {
		t.Errorf("another call is shown:\n%s", stdout)
	}
}

func TestWhatIsNotUnderstoodIsShownWithItsCallAndReason(t *testing.T) {
	const text = `
{"type":"ChannelCreated","timestamp":"2026-11-23T12:30:00.000+0000","channel":{"id":"1.1","name":"PJSIP/trunk-1","state":"Down"}}
{"type":"ChannelCreated","timestamp":"2026-11-23T12:30:01.000+0000","channel":{"id":"1.2","name":"PJSIP/101-1","state":"Down"}}
{"type":"Dial","timestamp":"2026-11-23T12:30:02.000+0000","dialstatus":"","caller":{"id":"1.1","name":"PJSIP/trunk-1"},"peer":{"id":"1.2","name":"PJSIP/101-1"}}
`
	const words = "12:30:02.000    note     1.1 not fully understood, so reported less: "
	if stdout, _ := mustReplay(t, text, "-"); !strings.Contains(stdout, words) {
		t.Errorf("the replay does not say %q:\n%s", words, stdout)
	}
	if stdout, stderr := mustReplay(t, text, "--json", "-"); stdout != "" || !strings.Contains(stderr, words) {
		t.Errorf("standard output %q, standard error %q", stdout, stderr)
	}
}

func TestAReplayThatCannotBeSaysWhatToDo(t *testing.T) {
	empty := writeFile(t, "empty.jsonl", "# nothing\n")
	for _, test := range []struct {
		name  string
		args  []string
		stdin string
		words string
	}{
		{"no such file", []string{"/nowhere/call.jsonl"}, "", "name a capture, or a kontur-ari.db"},
		{"a directory", []string{t.TempDir()}, "", "name a capture, or a kontur-ari.db"},
		{"no event", []string{empty}, "", "holds no event"},
		{"no event to write", []string{"--events", empty}, "", "holds no event"},
		{"an unknown call", []string{"--call", "9.9", captures + "inbound_hold.jsonl"}, "", `no event of a call "9.9"`},
		{"a store on standard input", []string{"-"}, sqliteHeader + "\x10", "name its file"},
		{"another database", []string{writeFile(t, "other.db", sqliteHeader+strings.Repeat("\x00", 100))}, "", "other.db"},
		{"events as reports", []string{"--events", "--json", empty}, "", "events json"},
		{"no file", nil, "", "1 arg"},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, stdout, stderr := replayed(t, test.stdin, test.args...)
			if code != exitFailure || stdout != "" || !strings.Contains(stderr, test.words) {
				t.Errorf("exit code %d, standard output %q, standard error %q", code, stdout, stderr)
			}
		})
	}
}

func TestAReplayNeedsNoConfigurationUnlessItIsNamed(t *testing.T) {
	root := rootCommand()
	replay, _, err := root.Find([]string{"replay"})
	if err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	if err := replay.Flags().Lookup("config").Value.Set(missing); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := execute(t.Context(), root, []string{"replay", captures + "inbound_hold.jsonl"}, &stdout, &stderr); code != exitOK {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
	if !strings.Contains(stderr.String(), "there is no "+missing) || !strings.Contains(stdout.String(), "client -> user\n") {
		t.Errorf("standard error %q, standard output:\n%s", &stderr, &stdout)
	}
	if code, _, stderr := replayed(t, "", "--config", missing, captures+"inbound_hold.jsonl"); code != exitConfiguration {
		t.Errorf("a configuration that was named and is not there: exit code %d: %s", code, stderr)
	}
}
