package recordings

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"kontur-ari/bridge"
)

// Template is the form of the names that the dial plan gives its recordings, where Asterisk
// doesn't report them. It is a path below the directory of the recordings, as FreePBX's
//
//	{year}/{month}/{day}/*-{uniqueid}.wav
//
// {uniqueid} is the id of the recorded channel, {linkedid} that of the call. {year},
// {month} and {day} are the date at which it begins, in the time zone of this machine, as
// Asterisk writes it. * matches anything within a name.
type Template struct{ text string }

// placeholders are the words allowed between braces.
var placeholders = []string{"uniqueid", "linkedid", "year", "month", "day"}

// ParseTemplate reads a template. It must be a relative path with {uniqueid} or {linkedid}
// in it: without an id, a file could belong to any call. The error says what is wrong.
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

// String returns the text that was parsed.
func (t Template) String() string { return t.text }

// find returns the sorted names of the recordings of a channel that lived from one moment
// to another. The id must not be a part of a longer number in the name: 1795401475.2 does
// not find the files of 1795401475.25.
func (f *fileRoot) find(t Template, channel bridge.ChannelID, call bridge.CallID, from, to time.Time) ([]string, error) {
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

// mostDays bounds for how many days of a call files are looked for.
const mostDays = 8

// patterns returns the patterns for fs.Glob, one for each day that the channel lived.
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

// literal quotes a text for use in a pattern.
var literal = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`)

// holdsNumber reports whether a name holds an id without a digit before or behind it.
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

// directories returns the directories of the files of a call, one for each of its days;
// none where the template has * in a directory.
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
