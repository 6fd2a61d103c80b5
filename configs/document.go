package configs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// document reads a YAML file against the fields of Config. viper would forgive
// what is found here: keys in other letters, unknown and repeated keys, numbers
// without units, sections that are none.
type document struct {
	*report
}

// read returns the values of the file, parsed to the types of their fields and
// keyed as in the file. What is wrong is reported and left out.
func (d document) read(content []byte) map[string]any {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var root yaml.Node
	if err := decoder.Decode(&root); err != nil {
		if !errors.Is(err, io.EOF) {
			d.syntax(err)
		}
		return nil
	}
	var more yaml.Node
	if err := decoder.Decode(&more); err == nil {
		d.problemAt(more.Line, "", "a second document begins here; write everything into one and remove the --- line")
	} else if !errors.Is(err, io.EOF) {
		d.syntax(err)
	}
	if len(root.Content) == 0 || isNull(root.Content[0]) {
		return nil
	}
	return d.section(root.Content[0], reflect.TypeFor[Config](), "")
}

var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

// syntax reports what the YAML reader says, without the one text in which it
// repeats a piece of the file.
func (d document) syntax(err error) {
	line, text := 0, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = err.Error()[len(m[0]):]
	}
	hint := "quote values that hold special characters, and indent with spaces"
	switch {
	case strings.Contains(text, "unknown anchor"):
		text, hint = "a value begins with *, which stands for an alias", "put the value in single quotes"
	case strings.Contains(text, "expected ':'"):
		hint = "write each key with a colon and a space behind it, on a line of its own"
	case strings.Contains(text, "cannot start any token"):
		hint = "indent with spaces instead of tabs, and quote values that begin with @, ` or %"
	}
	d.problemAt(line, "", fmt.Sprintf("not YAML: %s; %s", text, hint))
}

func (d document) section(n *yaml.Node, t reflect.Type, path string) map[string]any {
	values := map[string]any{}
	if !d.expect(n, yaml.MappingNode, path) {
		return values
	}
	fields, first := fieldsOf(t), map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key := join(path, keyName(name))
		if line, again := first[key]; again {
			d.problemAt(name.Line, key, fmt.Sprintf("set twice, first in line %d; remove one of the two", line))
			continue
		}
		first[key] = name.Line
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == name.Value })
		if at < 0 || name.Kind != yaml.ScalarNode {
			d.problemAt(name.Line, key, "unknown key; "+suggest(key, path))
			continue
		}
		d.lines[key] = name.Line
		if v, ok := d.value(value, fields[at].typ, key); ok {
			values[fields[at].name] = v
		}
	}
	return values
}

// value reads what stands behind a key; false when there is nothing to keep.
func (d document) value(n *yaml.Node, t reflect.Type, key string) (any, bool) {
	switch {
	case isNull(n) && (isSection(t) || t.Kind() == reflect.Slice):
		// What is left of a section when every key in it is commented out.
		return nil, false
	case isNull(n):
		d.problem(key, `no value; write one (or "" for an empty one), or remove the line`)
		return nil, false
	case isSection(t):
		return d.section(n, t, key), true
	case t.Kind() == reflect.Slice:
		return d.list(n, t.Elem(), key)
	}
	if !d.expect(n, yaml.ScalarNode, key) {
		return nil, false
	}
	if n.Style&yaml.TaggedStyle != 0 {
		d.problem(key, "tags (!name) are not read; put the value in quotes if it begins with !")
		return nil, false
	}
	v, err := parseScalar(n.Value, t)
	if err != nil {
		d.problem(key, "%s", err)
		return nil, false
	}
	return v, true
}

func (d document) list(n *yaml.Node, elem reflect.Type, key string) (any, bool) {
	if !d.expect(n, yaml.SequenceNode, key) {
		return nil, false
	}
	values := make([]any, 0, len(n.Content))
	for i, item := range n.Content {
		itemKey := fmt.Sprintf("%s[%d]", key, i)
		d.lines[itemKey] = item.Line
		if isNull(item) {
			d.problem(itemKey, "an empty item; write its value, or remove the dash")
			if isSection(elem) {
				// Items keep their numbers, which later problems name them by.
				values = append(values, map[string]any{})
			}
			continue
		}
		if v, ok := d.value(item, elem, itemKey); ok {
			values = append(values, v)
		}
	}
	return values, true
}

// expect reports a node that is of another kind than its key wants.
func (d document) expect(n *yaml.Node, kind yaml.Kind, key string) bool {
	if n.Kind == kind {
		return true
	}
	if n.Kind == yaml.AliasNode {
		d.problemAt(n.Line, key, "aliases (*name) are not read; write the value out, in quotes if it begins with *")
		d.bad[key] = true
		return false
	}
	what := map[yaml.Kind]string{
		yaml.MappingNode:  "keys are wanted here; write one `key: value` a line, indented, with a space behind the colon",
		yaml.SequenceNode: "a list is wanted here; write one item a line, each behind a dash, or [] for none",
		yaml.ScalarNode:   "a single value is wanted here, not a list or further keys; write it on the key's line, in quotes if it begins with [ or {",
	}[kind]
	d.problemAt(n.Line, key, what)
	d.bad[key] = true
	return false
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// plainName is what a key looks like. Whatever else stands in a key's place,
// such as a long name with digits in it, may be a secret and is not repeated.
var plainName = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_.-]{0,15}|[A-Za-z_.-]{0,39})$`)

func keyName(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode || !plainName.MatchString(n.Value) {
		return "(not a name)"
	}
	return n.Value
}
