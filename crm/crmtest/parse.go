package crmtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"
)

// problem is one thing that is wrong with a body, at a path such as "from.type".
type problem struct {
	path string
	text string
}

// parse reads raw as one JSON value of maps, slices, strings, json.Numbers,
// bools and nils. Unlike encoding/json it takes neither bytes that are not
// UTF-8 nor a key twice in one object.
func parse(raw []byte) (any, []problem) {
	if !utf8.Valid(raw) {
		return nil, []problem{{"$", "the body is not UTF-8"}}
	}
	p := parser{decoder: json.NewDecoder(bytes.NewReader(raw))}
	p.decoder.UseNumber()
	value, err := p.value("$")
	if err != nil {
		return nil, []problem{{"$", fmt.Sprintf("the body is not JSON: %v", err)}}
	}
	if _, err := p.decoder.Token(); err != io.EOF {
		return nil, []problem{{"$", "something follows the JSON value"}}
	}
	return value, p.problems
}

type parser struct {
	decoder  *json.Decoder
	problems []problem
}

func (p *parser) value(path string) (any, error) {
	token, err := p.decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return p.object(path)
	case json.Delim('['):
		return p.array(path)
	}
	return token, nil
}

func (p *parser) object(path string) (any, error) {
	object := make(map[string]any)
	for p.decoder.More() {
		token, err := p.decoder.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string) // the decoder lets nothing else stand here
		if _, twice := object[key]; twice {
			p.problems = append(p.problems, problem{join(path, key), "the key is there twice"})
		}
		if object[key], err = p.value(join(path, key)); err != nil {
			return nil, err
		}
	}
	_, err := p.decoder.Token()
	return object, err
}

func (p *parser) array(path string) (any, error) {
	array := []any{}
	for p.decoder.More() {
		element, err := p.value(fmt.Sprintf("%s[%d]", path, len(array)))
		if err != nil {
			return nil, err
		}
		array = append(array, element)
	}
	_, err := p.decoder.Token()
	return array, err
}

// join is the path of a key; the root is not named in it.
func join(path, key string) string {
	if path == "$" {
		return key
	}
	return path + "." + key
}
