package configs

import (
	"regexp"
	"slices"
	"strings"
)

var itemNumber = regexp.MustCompile(`\[\d+\]`)

// suggest says what an unknown key may have been meant for: the nearest known
// key, or the keys that its section has.
func suggest(key, section string) string {
	known := knownKeys()
	name := strings.TrimPrefix(strings.TrimPrefix(key, section), ".")
	if parent, leaf, dotted := strings.Cut(name, "."); dotted && slices.Contains(known, key) {
		return "write " + leaf + ": below " + join(section, parent) + ": instead"
	}
	if near, ok := nearest(itemNumber.ReplaceAllString(key, "[]"), known); ok {
		return "did you mean " + near + "?"
	}
	var here []string
	prefix := itemNumber.ReplaceAllString(section, "[]")
	for _, k := range known {
		if name, ok := strings.CutPrefix(k, prefix); ok {
			if name = strings.TrimPrefix(name, "."); name != "" && !strings.Contains(name, ".") {
				here = append(here, name)
			}
		}
	}
	return "known here: " + strings.Join(here, ", ")
}

// nearest returns the known key that differs least from key, if it is similar
// at all: the same name in another section, or few letters away.
func nearest(key string, known []string) (string, bool) {
	name := key[strings.LastIndex(key, ".")+1:]
	best, least := "", 1+max(2, len(name)/3)
	for _, k := range known {
		if d := distance(strings.ToLower(key), k); d < least {
			best, least = k, d
		}
	}
	if best != "" {
		return best, true
	}
	at := slices.IndexFunc(known, func(k string) bool { return strings.HasSuffix(k, "."+strings.ToLower(name)) })
	if at < 0 {
		return "", false
	}
	return known[at], true
}

// distance is the number of letters to insert, remove, change or swap with
// their neighbour to turn a into b.
func distance(a, b string) int {
	before, row := []int(nil), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			change := row[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			next[j] = min(row[j]+1, next[j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
