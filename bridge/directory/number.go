package directory

import (
	"fmt"
	"regexp"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/nyaruka/phonenumbers"
)

// longestNumber is the maximum number of digits of an international number (ITU-T E.164,
// section 6).
const longestNumber = 15

// The cache of normalised numbers holds mostCached entries. A text of more than
// longestCached bytes is not cached, since a text that is no number may have any length.
const mostCached, longestCached = 256, 64

// Numbers normalises telephone numbers: from any form that an exchange shows to digits
// only, E.164 without the plus. It is safe for concurrent use, and equal input always
// gives equal output.
type Numbers struct {
	region   string
	internal *regexp.Regexp
	hidden   string
	// normalised caches results: an office has few numbers of its own, and each of them
	// is normalised with every call.
	normalised *lru.Cache[string, string]
}

// NewNumbers makes Numbers for a default region (an ISO 3166 code such as "RU"),
// a pattern that short internal numbers match as a whole, and the placeholder for a
// client's number that is unknown.
func NewNumbers(region string, internal *regexp.Regexp, hidden string) (*Numbers, error) {
	if !phonenumbers.GetSupportedRegions()[region] {
		return nil, fmt.Errorf("region %q is unknown: write a two-letter country code such as RU", region)
	}
	// An expression prefers the first alternative that matches, not the longest: "1|101"
	// must be anchored to match 101 as a whole.
	whole, err := regexp.Compile(`\A(?:` + internal.String() + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("the pattern of internal numbers: %w", err)
	}
	normalised, err := lru.New[string, string](mostCached)
	if err != nil {
		return nil, fmt.Errorf("remembering numbers: %w", err)
	}
	return &Numbers{region: region, internal: whole, hidden: hidden, normalised: normalised}, nil
}

// Normalise returns the number in raw, or "" if raw holds none: if it is empty, a name, a
// withheld number, or longer than a telephone number can be. Short internal numbers and
// numbers outside every country's plan (emergency and service numbers) keep their digits.
func (n *Numbers) Normalise(raw string) string {
	number, known := n.normalised.Get(raw)
	if !known {
		number = n.normalise(raw)
		if len(raw) <= longestCached {
			n.normalised.Add(strings.Clone(raw), number)
		}
	}
	return number
}

func (n *Numbers) normalise(raw string) string {
	digits, plus, ok := digitsOf(raw)
	if !ok {
		return ""
	}
	if !plus && n.IsInternal(digits) {
		return digits
	}
	for _, candidate := range candidates(digits, plus) {
		parsed, err := phonenumbers.Parse(candidate, n.region)
		if err != nil || !phonenumbers.IsValidNumber(parsed) {
			continue
		}
		// Some countries' rules allow longer numbers than E.164 does.
		if number := strings.TrimPrefix(phonenumbers.Format(parsed, phonenumbers.E164), "+"); len(number) <= longestNumber {
			return number
		}
	}
	if len(digits) > longestNumber {
		return ""
	}
	return digits
}

// candidates lists what digits may mean, the likeliest first: a number as dialled in the
// region, then an international number without its plus, as many trunks send it, or with
// 00 in its place.
func candidates(digits string, plus bool) []string {
	if plus {
		return []string{"+" + digits}
	}
	all := []string{digits, "+" + digits}
	if rest, ok := strings.CutPrefix(digits, "00"); ok {
		all = append(all, "+"+rest)
	}
	return all
}

// Typed returns the normalised number of a text that is a telephone number and nothing else:
// digits, a + before them, and what people write between them: space, ( ) - and dot. It returns
// "" for any other text, such as a SIP or tel URI or a number with an extension.
func (n *Numbers) Typed(text string) string {
	digits := strings.TrimPrefix(strings.TrimSpace(text), "+")
	if strings.ContainsFunc(digits, func(r rune) bool { return !strings.ContainsRune("0123456789 ()-.\u00a0", r) }) {
		return ""
	}
	return n.Normalise(text)
}

// Client returns a client's number: normalised, or the configured placeholder if raw holds
// none.
func (n *Numbers) Client(raw string) string {
	if number := n.Normalise(raw); number != "" {
		return number
	}
	return n.hidden
}

// IsInternal reports whether a number is a short number of the exchange itself.
func (n *Numbers) IsInternal(number string) bool { return n.internal.MatchString(number) }

// digitsOf returns the digits of a number with the usual separators, or of a SIP or tel
// URI. ok is false if the text holds anything else.
func digitsOf(raw string) (digits string, plus, ok bool) {
	s := strings.TrimSpace(raw)
	for _, scheme := range []string{"sips:", "sip:", "tel:"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			s = s[len(scheme):]
			break
		}
	}
	s, _, _ = strings.Cut(s, "@")
	s, _, _ = strings.Cut(s, ";")
	s, plus = strings.CutPrefix(s, "+")
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case strings.ContainsRune(" ()-./\u00a0", r):
		default:
			return "", false, false
		}
	}
	return b.String(), plus, b.Len() > 0
}
