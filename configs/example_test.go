package configs

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const reservedNote = "Reserved: read and checked, not acted on yet."

func TestExampleLoads(t *testing.T) {
	cfg, _, err := Load("kontur-ari.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Directory.Users) == 0 || len(cfg.Directory.Trunks) == 0 {
		t.Error("the example shows no user or no trunk")
	}
}

// TestExampleStatesEveryKey holds the example's keys and comments against the
// structs: no key is missing, and what is said of it is so.
func TestExampleStatesEveryKey(t *testing.T) {
	said := exampleComments(t)
	for _, key := range knownKeys() {
		comment, ok := said[key]
		if !ok {
			t.Errorf("%s is not in the example", key)
			continue
		}
		if strings.Contains(comment, reservedNote) != isReserved(key) && isReserved(key) != isReserved(around(key)) {
			t.Errorf("%s: the comment says %q, reserved is %v", key, comment, isReserved(key))
		}
		if _, section := sectionOf(key); section {
			if strings.Contains(comment, reservedNote) != isReserved(key) {
				t.Errorf("%s: the comment says %q, reserved is %v", key, comment, isReserved(key))
			}
			continue
		}
		if len(strings.Fields(comment)) < 2 {
			t.Errorf("%s has no comment", key)
		}
		checkStated(t, key, stated(comment, "Default"), stated(comment, "Range"))
	}
}

// exampleComments returns the comment above each key of the example, those of
// list items under users[].name.
func exampleComments(t *testing.T) map[string]string {
	t.Helper()
	content, err := os.ReadFile("kontur-ari.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(content, &root); err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	var walk func(n *yaml.Node, path string)
	walk = func(n *yaml.Node, path string) {
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				key := join(path, n.Content[i].Value)
				if said[key] == "" {
					// The first key of an item has its comment on the item.
					said[key] = n.Content[i].HeadComment + map[bool]string{true: n.HeadComment}[i == 0]
				}
				walk(n.Content[i+1], key)
			}
		case yaml.SequenceNode:
			for _, item := range n.Content {
				walk(item, path+"[]")
			}
		}
	}
	walk(root.Content[0], "")
	return said
}

var statement = regexp.MustCompile(`(Default|Range): (.*?)\.( |\n|$)`)

// stated returns what a comment says the default or the range is.
func stated(comment, what string) string {
	for _, m := range statement.FindAllStringSubmatch(comment, -1) {
		if m[1] == what {
			return m[2]
		}
	}
	return ""
}

// inWords are the defaults that are no values.
var inWords = map[string]string{
	"node":                          "the host name",
	"asterisk.username":             "none, it must be set",
	"asterisk.password":             "none, one of the two must be set",
	"kontur.workspace":              "none, it must be set",
	"kontur.api_key":                "none, one of the two must be set",
	"directory.users[].user_id":     "none, it must be set",
	"directory.users[].endpoint":    "PJSIP/<extension>",
	"directory.trunks[].endpoint":   "none, it must be set",
	"directory.users":               "[]",
	"directory.trunks":              "[]",
	"server.allowed_networks":       "[]",
	"server.trusted_proxies":        "[]",
	"calls.allowed_numbers":         `['^7\d{10}$']`,
	"recordings.make_never_users":   "[]",
	"recordings.make_never_numbers": "[]",
	"recordings.names":              `['{year}/{month}/{day}/*-{uniqueid}.*']`,
	"directory.users[].name":        `""`,
	"directory.users[].extension":   `""`,
	"directory.users[].mobile":      `""`,
	"directory.trunks[].number":     `""`,
}

// checkStated holds a stated default and range of one key against the code's.
func checkStated(t *testing.T, key, value, limit string) {
	t.Helper()
	wantRange := ""
	if r, ok := ranges[key]; ok {
		wantRange = r.least + " to " + r.most
	}
	if limit != wantRange {
		t.Errorf("%s: range stated as %q, is %q", key, limit, wantRange)
	}
	if words, ok := inWords[key]; ok {
		if value != words {
			t.Errorf("%s: default stated as %q, want %q", key, value, words)
		}
		return
	}
	defaults := Default()
	want := valueOf(&defaults, key)
	got, err := parseScalar(unquote(value), reflect.TypeOf(want))
	if err != nil || !sameValue(got, want) || value == "" {
		t.Errorf("%s: default stated as %q, is %v (%v)", key, value, want, err)
	}
}

func unquote(text string) string {
	if len(text) >= 2 && (text[0] == '\'' || text[0] == '"') && text[0] == text[len(text)-1] {
		return text[1 : len(text)-1]
	}
	return text
}

// sectionOf returns a key's section, and whether the key is a section itself.
func sectionOf(key string) (string, bool) {
	return around(key), slices.ContainsFunc(knownKeys(), func(k string) bool { return strings.HasPrefix(k, key+".") })
}

func TestWordsAndListsAreTheDefaultsOfTheCode(t *testing.T) {
	got := fmt.Sprint(Default().Calls.AllowedNumbers)
	if want := strings.ReplaceAll(inWords["calls.allowed_numbers"], "'", ""); got != want {
		t.Errorf("calls.allowed_numbers is %s, stated as %s", got, want)
	}
	got = fmt.Sprint(Default().Recordings.Names)
	if want := strings.ReplaceAll(inWords["recordings.names"], "'", ""); got != want {
		t.Errorf("recordings.names is %s, stated as %s", got, want)
	}
	if r := Default().Recordings; len(r.NeverUsers)+len(r.NeverNumbers) != 0 {
		t.Errorf("recordings is %v, its lists are stated as []", r)
	}
	if d := Default().Directory; len(d.Users)+len(d.Trunks) != 0 {
		t.Errorf("directory is %v, stated as []", d)
	}
	if s := Default().Server; len(s.AllowedNetworks)+len(s.TrustedProxies) != 0 {
		t.Errorf("server is %v, its lists are stated as []", s)
	}
}

// TestReferenceStatesEveryKey holds the table of docs/configuration.md against
// the structs, in both directions.
func TestReferenceStatesEveryKey(t *testing.T) {
	rows := referenceRows(t)
	for _, key := range knownKeys() {
		if _, section := sectionOf(key); section && !strings.Contains(key, "[]") && typeOf(key) == "section" {
			continue
		}
		row, ok := rows[key]
		if !ok {
			t.Errorf("%s is not in docs/configuration.md", key)
			continue
		}
		delete(rows, key)
		if row.typ != typeOf(key) {
			t.Errorf("%s: type stated as %q, is %q", key, row.typ, typeOf(key))
		}
		if strings.Contains(row.meaning, "Reserved.") != isReserved(key) {
			t.Errorf("%s: reserved is %v, the meaning says %q", key, isReserved(key), row.meaning)
		}
		checkStated(t, key, strings.Trim(row.def, "`"), row.limit)
		if k := slices.IndexFunc(scalarKeys(), func(k scalarKey) bool { return k.path == key }); k >= 0 && row.env != scalarKeys()[k].env() {
			t.Errorf("%s: environment stated as %q, is %q", key, row.env, scalarKeys()[k].env())
		}
	}
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		t.Errorf("docs/configuration.md has %s, which is no key", key)
	}
}

// reference is one row of the table.
type reference struct{ typ, def, limit, env, meaning string }

// referenceRows reads rows of the form | `key` | type | default | meaning |,
// where the meaning may hold "Range: a to b." and the key's variable follows
// from its name.
func referenceRows(t *testing.T) map[string]reference {
	t.Helper()
	content, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]reference{}
	for line := range strings.Lines(string(content)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if len(cells) != 5 || !strings.HasPrefix(strings.TrimSpace(cells[0]), "`") {
			continue
		}
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows[strings.Trim(cells[0], "`")] = reference{
			typ: cells[1], def: cells[2], limit: stated(cells[4], "Range"), env: strings.Trim(cells[3], "`"), meaning: cells[4],
		}
	}
	return rows
}

// typeOf names a key's type as the reference does.
func typeOf(key string) string {
	t := reflect.TypeFor[Config]()
	for part := range strings.SplitSeq(key, ".") {
		name, item := strings.CutSuffix(part, "[]")
		for _, f := range fieldsOf(t) {
			if f.name == name {
				t = f.typ
				break
			}
		}
		if item {
			t = t.Elem()
		}
	}
	switch {
	case t == durationType:
		return "duration"
	case t == sizeType:
		return "size"
	case t == patternType:
		return "pattern"
	case t == secretType:
		return "secret"
	case t == reflect.TypeFor[[]string]():
		return "list of texts"
	case t == reflect.TypeFor[[]Pattern]():
		return "list of patterns"
	case t == reflect.TypeFor[[]netip.Prefix]():
		return "list of networks"
	case t.Kind() == reflect.Slice:
		return "list"
	case isSection(t):
		return "section"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "number"
	}
	return "text"
}
