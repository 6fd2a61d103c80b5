package configs

import (
	"reflect"
	"slices"
	"strings"
)

// Interpretation reads what decides how calls are understood, the directory and
// calls.*, and looks at nothing else: the study of a call needs neither the
// secrets nor a file that the daemon could run with. All other fields are zero.
// The error is an [*Error].
func Interpretation(path string) (Config, error) {
	r := newReport(path)
	content, err := readFile(path)
	if err != nil {
		r.caused(err, "", "can't be read: %s; name the file with --config", reason(err))
		return Config{}, r.err()
	}
	values := document{r}.read(content)
	if err := r.err(); err != nil && values == nil {
		return Config{}, err
	}
	cfg, err := merge(values, readEnvironment(r))
	if err != nil {
		r.caused(err, "", "can't be decoded: %s", err)
		return Config{}, r.err()
	}
	complete(r, &cfg)
	validate(r, &cfg)
	r.problems = slices.DeleteFunc(r.problems, func(p Problem) bool { return isElsewhere(p.Key) })
	if err := r.err(); err != nil {
		return Config{}, err
	}
	return Config{Directory: cfg.Directory, Calls: cfg.Calls}, nil
}

// isElsewhere returns whether a key belongs to what [Interpretation] does not look at.
// A key that belongs nowhere may be a misspelt one of those it does.
func isElsewhere(key string) bool {
	section, _, _ := strings.Cut(key, ".")
	return section != "directory" && section != "calls" &&
		slices.ContainsFunc(fieldsOf(reflect.TypeFor[Config]()), func(f field) bool { return f.name == section })
}
