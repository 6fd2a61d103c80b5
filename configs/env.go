package configs

import (
	"os"
	"slices"
	"strings"
)

// envPrefix begins the name of every environment variable that is read.
const envPrefix = "KONTUR_ARI_"

// readEnvironment returns the values of the keys that the environment sets. An
// empty variable counts as unset. Variables that belong to no key are warned of
// and no more than that: a service manager may set such ones for its own ends.
func readEnvironment(r *report) map[string]any {
	values, names := map[string]any{}, []string(nil)
	for _, key := range scalarKeys() {
		names = append(names, key.env())
		text := os.Getenv(key.env())
		if text == "" {
			continue
		}
		r.env[key.path] = key.env()
		v, err := parseScalar(text, key.typ)
		if err != nil {
			r.problem(key.path, "%s", err)
			continue
		}
		values[key.path] = v
	}
	warnUnknownVariables(r, names)
	return values
}

func warnUnknownVariables(r *report, names []string) {
	var unknown []string
	for _, variable := range os.Environ() {
		name, value, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, envPrefix) && value != "" && !slices.Contains(names, name) {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		text := "this environment variable belongs to no key and is ignored"
		if near, ok := nearest(strings.ToLower(name), lower(names)); ok {
			text += "; did you mean " + strings.ToUpper(near) + "?"
		}
		r.warnings = append(r.warnings, Warning{Where: "$" + name, Text: text})
	}
}

func lower(names []string) []string {
	low := make([]string, len(names))
	for i, name := range names {
		low[i] = strings.ToLower(name)
	}
	return low
}
