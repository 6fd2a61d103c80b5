package configs

import (
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"kontur-ari/internal/secret"
)

// mistake is an error whose text may be shown: it holds no part of the text
// that was parsed but what was found harmless.
type mistake string

func (m mistake) Error() string { return string(m) }

// parseScalar reads one value of type t as it was written in the file or in the
// environment. Its errors are mistakes.
func parseScalar(text string, t reflect.Type) (any, error) {
	switch t {
	case durationType:
		return parseDuration(text)
	case sizeType:
		return parseSize(text)
	case patternType:
		return parsePattern(text)
	case secretType:
		return secret.New(text), nil
	case networkType:
		return parseNetwork(text)
	}
	switch t.Kind() {
	case reflect.String:
		return text, nil
	case reflect.Bool:
		return parseBool(text)
	case reflect.Int:
		return parseInt(text)
	}
	return nil, fmt.Errorf("no parser for %s", t)
}

func parseDuration(text string) (time.Duration, error) {
	if number, ok := plainNumber(text); ok {
		return 0, mistake(fmt.Sprintf("%s has no unit; write %ss for seconds, %sm for minutes or %sh for hours", number, number, number, number))
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, mistake("not a duration; write a number with a unit, such as 1500ms, 30s, 10m or 168h")
	}
	if d < 0 {
		return 0, mistake("a duration can't be negative; write a number with a unit, such as 30s")
	}
	return d, nil
}

func parseSize(text string) (Size, error) {
	if number, ok := plainNumber(text); ok {
		return 0, mistake(fmt.Sprintf("%s has no unit; write %sB for bytes, %sMiB or %sGiB", number, number, number, number))
	}
	if strings.HasPrefix(text, "-") {
		return 0, mistake("a size can't be negative; write a whole number with a unit, such as 512MiB or 1GiB")
	}
	s, err := ParseSize(text)
	if err != nil {
		return 0, mistake("not a size; write a whole number with a unit (B, KB, MB, GB, TB, KiB, MiB, GiB, TiB), such as 512MiB or 1GiB")
	}
	return s, nil
}

func parsePattern(text string) (Pattern, error) {
	if text == "" {
		return Pattern{}, mistake(`an empty pattern matches nothing; write a regular expression in single quotes, such as '^\d{2,5}$'`)
	}
	p, err := ParsePattern(text)
	if err != nil {
		return Pattern{}, mistake(`not a regular expression of Go (RE2: no look-around, no back references); write one in single quotes, such as '^\d{2,5}$'`)
	}
	return p, nil
}

func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil && address.Zone() == "" {
		address = address.Unmap()
		return netip.Prefix{}, mistake(fmt.Sprintf("an address and no network; write %s/%d if it alone is meant", address, address.BitLen()))
	}
	network, err := netip.ParsePrefix(text)
	switch {
	case err != nil || network.Addr().Is4In6():
		return netip.Prefix{}, mistake("not a network; write its address, a slash and the number of its bits, such as 203.0.113.0/24 or 2001:db8::/32")
	case network != network.Masked():
		return netip.Prefix{}, mistake(fmt.Sprintf("the address has bits beyond the network's; write %s for the network, or %s/%d for the one address", network.Masked(), network.Addr(), network.Addr().BitLen()))
	}
	return network, nil
}

func parseBool(text string) (bool, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, mistake("neither true nor false; write one of the two")
}

func parseInt(text string) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n > math.MaxInt32 || n < math.MinInt32 {
		return 0, mistake("not a whole number; write digits only, such as 16")
	}
	return n, nil
}

// plainNumber returns text when it is a short number without any unit, in a
// form that is worth repeating in an error.
func plainNumber(text string) (string, bool) {
	if text == "" || len(text) > 9 || strings.Trim(text, "0123456789") != "" {
		return "", false
	}
	return text, true
}
