package server

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	// deepest bounds what is nested in fields that are not ours: the CRM's own
	// bodies have none.
	deepest = 16
	// longestField is the most characters that a field may have; ids of legs are
	// Asterisk's unique ids, which are shorter than this.
	longestField = 200
)

// malformed says what is wrong with a body and what to send instead, in words for
// the author of the request. Of the body it repeats only names that we defined.
type malformed string

func (m malformed) Error() string { return string(m) }

// isJSON reports whether a request's headers allow for JSON in UTF-8.
func isJSON(h http.Header) bool {
	if coding := h.Values("Content-Encoding"); len(coding) > 0 && !strings.EqualFold(strings.Join(coding, ","), "identity") {
		return false
	}
	types := h.Values("Content-Type")
	if len(types) == 0 {
		return true
	}
	media, parameters, err := mime.ParseMediaType(types[0])
	charset, stated := parameters["charset"]
	return err == nil && len(types) == 1 && media == "application/json" && (!stated || strings.EqualFold(charset, "utf-8"))
}

// classify says which reason an error of reading a body is.
func classify(err error) Reason {
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return RejectedSize
	}
	if network, ok := errors.AsType[net.Error](err); ok && network.Timeout() {
		return RejectedSlow
	}
	return RejectedBody
}

// decode reads a JSON object strictly, and stores the texts of the named fields;
// null is like absent. What a lenient reader takes in one way and a proxy or a log
// in another is refused: a name that is there twice, bytes that are no UTF-8,
// anything behind the object. Fields that are not ours are skipped, since the CRM
// may add some. The error is malformed.
func decode(body io.Reader, fields map[string]*string) error {
	decoder := jsontext.NewDecoder(body)
	if decoder.PeekKind() != '{' {
		if _, err := decoder.ReadToken(); err != nil {
			return syntax(err)
		}
		return malformed("The body is not a JSON object; send one with the fields of the command")
	}
	if _, err := decoder.ReadToken(); err != nil {
		return syntax(err)
	}
	for decoder.PeekKind() != '}' {
		name, err := decoder.ReadToken()
		if err != nil {
			return syntax(err)
		}
		field := name.String()
		if target, ours := fields[field]; ours {
			err = text(decoder, field, target)
		} else {
			err = skip(decoder)
		}
		if err != nil {
			return err
		}
	}
	if _, err := decoder.ReadToken(); err != nil {
		return syntax(err)
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return malformed("Something stands behind the JSON object; send nothing after it")
	}
	return nil
}

// text reads the value of a field of ours.
func text(decoder *jsontext.Decoder, field string, target *string) error {
	value, err := decoder.ReadToken()
	switch {
	case err != nil:
		return syntax(err)
	case value.Kind() == 'n':
		return nil
	case value.Kind() != '"':
		return malformed(field + " is not a text; send a JSON string")
	}
	if *target = value.String(); utf8.RuneCountInString(*target) > longestField {
		return malformed(fmt.Sprintf("%s is too long; send %d characters at most", field, longestField))
	}
	return nil
}

// skip reads a value that is not ours, so far as it is not nested too deep.
func skip(decoder *jsontext.Decoder) error {
	for around := decoder.StackDepth(); ; {
		if _, err := decoder.ReadToken(); err != nil {
			return syntax(err)
		}
		switch depth := decoder.StackDepth(); {
		case depth == around:
			return nil
		case depth > deepest:
			return malformed(fmt.Sprintf("The body is nested too deep; send %d levels at most", deepest))
		}
	}
}

// syntax names the commonest mistakes; the decoder's own texts repeat the body.
func syntax(err error) error {
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		return malformed("A field is there twice; send each field once")
	case errors.Is(err, io.EOF):
		return malformed("The body is empty; send a JSON object with the fields of the command")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return malformed("The JSON object breaks off; send all of it")
	}
	return malformed("The body is not JSON in UTF-8; send a JSON object with the fields of the command")
}
