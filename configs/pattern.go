package configs

import (
	"fmt"
	"regexp"
)

// Pattern is a compiled regular expression that matches whole texts only: the
// anchors ^ and $ may be written but change nothing. The zero value matches
// nothing.
type Pattern struct {
	source string
	whole  *regexp.Regexp
}

// ParsePattern compiles an expression in Go's syntax (RE2).
func ParsePattern(source string) (Pattern, error) {
	if _, err := regexp.Compile(source); err != nil {
		return Pattern{}, fmt.Errorf("compile pattern: %w", err)
	}
	// An expression that is good alone and bad in here has an open \Q.
	whole, err := regexp.Compile(`\A(?:` + source + `)\z`)
	if err != nil {
		return Pattern{}, fmt.Errorf("compile pattern: %w", err)
	}
	return Pattern{source: source, whole: whole}, nil
}

// MustPattern is ParsePattern for expressions known to be good; it panics when
// the expression is not.
func MustPattern(source string) Pattern {
	p, err := ParsePattern(source)
	if err != nil {
		panic(err)
	}
	return p
}

// Match reports whether the whole of text matches.
func (p Pattern) Match(text string) bool { return p.whole != nil && p.whole.MatchString(text) }

// Regexp returns an expression that matches what Match matches; nil for the
// zero value.
func (p Pattern) Regexp() *regexp.Regexp { return p.whole }

// IsZero reports whether the pattern is the zero value.
func (p Pattern) IsZero() bool { return p.whole == nil }

// Equal reports whether both were compiled from the same source.
func (p Pattern) Equal(other Pattern) bool { return p.source == other.source }

// String returns the expression as it was written.
func (p Pattern) String() string { return p.source }

// MarshalText returns what String returns.
func (p Pattern) MarshalText() ([]byte, error) { return []byte(p.source), nil }
