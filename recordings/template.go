package recordings

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"kontur-ari/bridge"
)

// Template says how the dial plan names its recordings, where it does not tell the name
// itself: a path below the directory of the recordings, such as FreePBX's
//
//	{year}/{month}/{day}/*-{uniqueid}.wav
//
// {uniqueid} stands for the id of the channel that is recorded, {linkedid} for that of the
// call, {year}, {month} and {day} for the date at which it begins, in the time zone of
// this machine as Asterisk writes it, and * for anything within a name.
type Template struct{ text string }

// placeholders are what a template may hold between braces.
var placeholders = []string{"uniqueid", "linkedid", "year", "month", "day"}

// ParseTemplate reads a template. It must be a path below a directory, with {uniqueid} or
// {linkedid} in it: without them a file could be anybody's.
func ParseTemplate(text string) (Template, error) {
	switch {
	case text == "":
		return Template{}, errors.New("it is empty")
	case !fs.ValidPath(text):
		return Template{}, fmt.Errorf("%q is no path below the directory: it must not begin or end with a slash, nor hold .. or //", text)
	case strings.ContainsRune(text, 0):
		return Template{}, fmt.Errorf("%q holds a NUL, which no name does", text)
	case strings.ContainsAny(text, `?[]\`):
		return Template{}, fmt.Errorf(`%q holds one of ? [ ] \: only * stands for something`, text)
	case !strings.Contains(text, "{uniqueid}") && !strings.Contains(text, "{linkedid}"):
		return Template{}, fmt.Errorf("%q holds neither {uniqueid} nor {linkedid}, so that it can't be told whose a file is", text)
	}
	for rest := text; ; {
		plain, after, found := strings.Cut(rest, "{")
		if strings.Contains(plain, "}") {
			return Template{}, fmt.Errorf("%q holds a } without its {", text)
		}
		if !found {
			break
		}
		name, behind, closed := strings.Cut(after, "}")
		if !closed || !slices.Contains(placeholders, name) {
			return Template{}, fmt.Errorf("%q: {%s is none of {%s}", text, name, strings.Join(placeholders, "}, {"))
		}
		rest = behind
	}
	return Template{text}, nil
}

// String is the template as it was read.
func (t Template) String() string { return t.text }

// Find returns the names of the recordings of a channel of a call that lived from one
// moment to another, in order, as Open takes them. The id that is part of a name must be
// all of a number there: 1795401475.2 does not find what belongs to 1795401475.25.
func (f *Folder) Find(t Template, channel bridge.ChannelID, call bridge.CallID, from, to time.Time) ([]string, error) {
	ids := map[string]string{"{uniqueid}": string(channel), "{linkedid}": string(call)}
	for placeholder, id := range ids {
		if !strings.Contains(t.text, placeholder) {
			delete(ids, placeholder)
		} else if id == "" || strings.ContainsRune(id, '/') {
			return nil, nil
		}
	}
	var names []string
	for _, pattern := range t.patterns(ids, from, to) {
		found, err := fs.Glob(f.root.FS(), pattern)
		if err != nil {
			return nil, fmt.Errorf("looking for recordings like %q: %w", pattern, err)
		}
		names = append(names, found...)
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		for _, id := range ids {
			if !holdsNumber(name, id) {
				return true
			}
		}
		return false
	})
	slices.Sort(names)
	return slices.Compact(names), nil
}

// mostDays bounds for how many days files are looked for: nobody telephones longer.
const mostDays = 8

// patterns are those that fs.Glob takes: more than one where midnight came between.
func (t Template) patterns(ids map[string]string, from, to time.Time) []string {
	var patterns []string
	last := to.Local()
	for day := from.Local(); len(patterns) < mostDays; day = day.AddDate(0, 0, 1) {
		values := []string{"{year}", day.Format("2006"), "{month}", day.Format("01"), "{day}", day.Format("02")}
		for placeholder, id := range ids {
			values = append(values, placeholder, literal.Replace(id))
		}
		patterns = append(patterns, strings.NewReplacer(values...).Replace(t.text))
		if year, month, date := day.Date(); !time.Date(year, month, date+1, 0, 0, 0, 0, time.Local).Before(last) {
			break
		}
	}
	return slices.Compact(patterns)
}

// literal makes a text stand for itself in a pattern.
var literal = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`)

// holdsNumber tells whether an id is in a name, and no digit before or behind it.
func holdsNumber(name, id string) bool {
	for rest, before := name, byte(0); ; {
		i := strings.Index(rest, id)
		if i < 0 {
			return false
		}
		if i > 0 {
			before = rest[i-1]
		}
		behind := rest[i+len(id):]
		if !isDigit(before) && (behind == "" || !isDigit(behind[0])) {
			return true
		}
		before = rest[i]
		rest = rest[i+1:]
	}
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
