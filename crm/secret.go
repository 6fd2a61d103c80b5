package crm

import (
	"fmt"
	"io"
)

// Secret is a string that can't be printed by accident: formatted with any verb,
// marshalled or logged it gives "[secret]". The zero value is an empty secret.
type Secret struct {
	// A pointer, because fmt prints a struct's unexported fields by reflection,
	// past their methods: then an address is all it finds.
	value *string
}

// NewSecret returns value as a secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.value == nil }

// reveal returns the secret's value; it goes into a header and nowhere else.
func (s Secret) reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// String returns "[secret]", or "" when the secret is empty.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return "[secret]"
}

// Format writes what String returns, whatever the verb, %#v included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns what String returns; JSON encoders use it too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
