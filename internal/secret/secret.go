// Package secret holds passwords and keys that must not be printed by accident.
//
// Beside it, crm removes keys from answers that repeat them, ari the credentials from errors
// of requests, configs the content of secret files from errors, and crm/server keeps salted
// hashes of keys alone.
package secret

import (
	"fmt"
	"io"
)

// redacted is what a secret that is set looks like wherever it is printed.
const redacted = "[secret]"

// String is a string that shows itself only to [String.Reveal]: every way of
// formatting, marshalling or logging it gives "[secret]", or "" when it is
// empty. The zero value is an empty secret.
type String struct {
	// A pointer, because fmt prints the unexported fields of a struct by
	// reflection and without asking their methods: it prints an address then.
	value *string
}

// New returns value as a secret.
func New(value string) String {
	if value == "" {
		return String{}
	}
	return String{value: &value}
}

// Reveal returns the secret's value.
func (s String) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the secret is empty.
func (s String) IsZero() bool { return s.value == nil }

// Equal reports whether both hold the same value.
func (s String) Equal(other String) bool { return s.Reveal() == other.Reveal() }

// String returns "[secret]", or "" when the secret is empty.
func (s String) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString returns what String returns.
func (s String) GoString() string { return s.String() }

// Format writes what String returns, whatever the verb.
func (s String) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns what String returns; JSON encoders use it too.
func (s String) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML returns what String returns.
func (s String) MarshalYAML() (any, error) { return s.String(), nil }
