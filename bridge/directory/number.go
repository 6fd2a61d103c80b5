package directory

import (
	"fmt"
	"regexp"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/nyaruka/phonenumbers"
)

// longestNumber is the most digits that an international number has (ITU-T
// E.164, section 6). Longer runs of digits are no telephone numbers.
const longestNumber = 15

// mostRemembered is how many numbers are remembered in their one form, and
// longestRemembered how long the text may be that a switch shows for one.
const mostRemembered, longestRemembered = 256, 64

// Numbers turns telephone numbers, in whatever form a switch shows them, into
// the one form that the CRM is told: digits only, E.164 without the plus. It is
// safe for concurrent use, and gives the same for the same whenever it is asked.
type Numbers struct {
	region   string
	internal *regexp.Regexp
	hidden   string
	// recentlyGone are the numbers that were asked for last: an office has few of its own, and
	// each is looked at with every call.
	lately *lru.Cache[string, string]
}

// NewNumbers makes Numbers for a default region (an ISO 3166 code such as "RU"),
// a pattern that short internal numbers match as a whole, and the word that
// stands in place of a number that is not known.
func NewNumbers(region string, internal *regexp.Regexp, hidden string) (*Numbers, error) {
	if !phonenumbers.GetSupportedRegions()[region] {
		return nil, fmt.Errorf("region %q is unknown: write a two-letter country code such as RU", region)
	}
	// Of two alternatives that match, an expression takes the first, not the
	// longest: "1|101" must be anchored to match 101 as a whole.
	whole, err := regexp.Compile(`\A(?:` + internal.String() + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("the pattern of internal numbers: %w", err)
	}
	lately, err := lru.New[string, string](mostRemembered)
	if err != nil {
		return nil, fmt.Errorf("remembering numbers: %w", err)
	}
	return &Numbers{region: region, internal: whole, hidden: hidden, lately: lately}, nil
}

// Normalise returns the number in raw, or "" when raw holds none: when it is
// empty, a name, a withheld number, or longer than a telephone number can be.
// Short internal numbers, and numbers that no country knows (emergency and
// service numbers), come back with their digits as they are.
func (n *Numbers) Normalise(raw string) string {
	number, known := n.lately.Get(raw)
	if !known {
		number = n.normalise(raw)
		// A text that is no number may be of any length.
		if len(raw) <= longestRemembered {
			n.lately.Add(strings.Clone(raw), number)
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
		// By the rules of some countries there are longer ones, which E.164 has not.
		if number := strings.TrimPrefix(phonenumbers.Format(parsed, phonenumbers.E164), "+"); len(number) <= longestNumber {
			return number
		}
	}
	if len(digits) > longestNumber {
		return ""
	}
	return digits
}

// candidates lists what a run of digits may mean, the likeliest first: a number
// as dialled in the region, then an international one whose plus got lost, as
// trunks often send it, or was written 00.
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

// Client returns the number of somebody outside: normalised, or the configured
// placeholder where there is none.
func (n *Numbers) Client(raw string) string {
	if number := n.Normalise(raw); number != "" {
		return number
	}
	return n.hidden
}

// IsInternal tells whether a number is a short number of the switch itself.
func (n *Numbers) IsInternal(number string) bool { return n.internal.MatchString(number) }

// digitsOf takes the digits out of a number written with the usual separators,
// or out of a SIP or tel URI. It is not ok when anything else is in it.
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
