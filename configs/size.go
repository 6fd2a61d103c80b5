package configs

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is a number of bytes.
type Size int64

// sizeUnits are the units a size may be written in, the larger of each family
// first, which is the order String tries them in.
var sizeUnits = []struct {
	name  string
	bytes int64
}{
	{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
	{"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"KB", 1e3}, {"kB", 1e3},
	{"B", 1},
}

// ErrSize says that a text is no size.
var ErrSize = errors.New("not a size")

// ParseSize reads a whole number followed by a unit: B, KB, MB, GB, TB (powers
// of 1000) or KiB, MiB, GiB, TiB (powers of 1024). Anything else, a number
// without a unit included, is an error that wraps [ErrSize].
func ParseSize(text string) (Size, error) {
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end <= 0 {
		return 0, fmt.Errorf("%w: a whole number and a unit are needed", ErrSize)
	}
	number, err := strconv.ParseInt(text[:end], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: the number is too large", ErrSize)
	}
	unit := strings.TrimSpace(text[end:])
	for _, u := range sizeUnits {
		if u.name != unit {
			continue
		}
		if number > math.MaxInt64/u.bytes {
			return 0, fmt.Errorf("%w: the number is too large", ErrSize)
		}
		return Size(number * u.bytes), nil
	}
	return 0, fmt.Errorf("%w: the unit is unknown", ErrSize)
}

// Bytes returns the size as a number of bytes.
func (s Size) Bytes() int64 { return int64(s) }

// String returns the size in the largest unit that gives a whole number;
// ParseSize reads it back unless it is negative.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && int64(s)%u.bytes == 0 {
			return strconv.FormatInt(int64(s)/u.bytes, 10) + u.name
		}
	}
	return "0B"
}

// MarshalText returns what String returns.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
