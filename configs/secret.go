package configs

import (
	"fmt"
	"io"
)

// redacted is what a secret that is set looks like wherever it is printed.
const redacted = "[secret]"

// Secret is a string that shows itself only to [Secret.Reveal]: every way of
// formatting, marshalling or logging it gives "[secret]", or "" when it is
// empty. The zero value is an empty secret.
type Secret struct {
	// A pointer, because fmt prints the unexported fields of a struct by
	// reflection and without asking their methods: it prints an address then.
	value *string
}

// NewSecret returns value as a secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the secret's value.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.value == nil }

// Equal reports whether both hold the same value.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String returns "[secret]", or "" when the secret is empty.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString returns what String returns.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns what String returns; JSON encoders use it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalYAML returns what String returns.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
