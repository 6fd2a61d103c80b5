package configs

import (
	"net/netip"
	"reflect"
	"strings"
	"time"

	"kontur-ari/internal/secret"
)

// The types a value can have in the file apart from Go's own string, bool, int.
var (
	durationType = reflect.TypeFor[time.Duration]()
	sizeType     = reflect.TypeFor[Size]()
	patternType  = reflect.TypeFor[Pattern]()
	secretType   = reflect.TypeFor[secret.String]()
	networkType  = reflect.TypeFor[netip.Prefix]()
)

// scalarKey is a key that holds one value and can come from the environment.
type scalarKey struct {
	path string
	typ  reflect.Type
}

// env is the environment variable that overrides the key.
func (k scalarKey) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

// scalarKeys returns all such keys in the order of the struct's fields. Keys
// within lists are not among them.
func scalarKeys() []scalarKey { return scalarsOf(reflect.TypeFor[Config](), "") }

func scalarsOf(t reflect.Type, path string) []scalarKey {
	var keys []scalarKey
	for _, f := range fieldsOf(t) {
		key := join(path, f.name)
		switch {
		case isSection(f.typ):
			keys = append(keys, scalarsOf(f.typ, key)...)
		case f.typ.Kind() != reflect.Slice:
			keys = append(keys, scalarKey{key, f.typ})
		}
	}
	return keys
}

// knownKeys returns every key, those within lists written as users[].name.
func knownKeys() []string { return keysOf(reflect.TypeFor[Config](), "") }

func keysOf(t reflect.Type, path string) []string {
	var keys []string
	for _, f := range fieldsOf(t) {
		key := join(path, f.name)
		keys = append(keys, key)
		switch {
		case isSection(f.typ):
			keys = append(keys, keysOf(f.typ, key)...)
		case f.typ.Kind() == reflect.Slice && isSection(f.typ.Elem()):
			keys = append(keys, keysOf(f.typ.Elem(), key+"[]")...)
		}
	}
	return keys
}

// field is a key within a section.
type field struct {
	name string
	typ  reflect.Type
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for f := range t.Fields() {
		fields = append(fields, field{f.Tag.Get("mapstructure"), f.Type})
	}
	return fields
}

// isSection distinguishes a struct with keys of its own from one that is a value.
func isSection(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t != patternType && t != secretType && t != networkType
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// valueOf returns the value of a key that is in no list.
func valueOf(cfg *Config, path string) any {
	v := reflect.ValueOf(cfg).Elem()
	for name := range strings.SplitSeq(path, ".") {
		for i, f := range fieldsOf(v.Type()) {
			if f.name == name {
				v = v.Field(i)
				break
			}
		}
	}
	return v.Interface()
}
