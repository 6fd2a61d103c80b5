package configs

import (
	"fmt"
	"strings"
)

var (
	userIDShape    = MustPattern(`[A-Za-z0-9][A-Za-z0-9._-]*`)
	extensionShape = MustPattern(`[0-9A-Za-z*#+][0-9A-Za-z*#+_.-]*`)
	endpointShape  = MustPattern(`[A-Za-z0-9]+/[^\s/&,@;]+`)
	numberShape    = MustPattern(`\d{7,15}`)
	// Russian mobile numbers as they are dialled inside the country. No country
	// code begins with 89, so nothing else looks like them.
	trunkPrefixShape = MustPattern(`89\d{9}`)
)

// validateDirectory checks each entry, and that no two could mean one telephone.
func validateDirectory(r *report, directory Directory) {
	extensions, endpoints, mobiles := newFirst(r), newFirst(r), newFirst(r)
	for i, u := range directory.Users {
		key := fmt.Sprintf("directory.users[%d]", i)
		validateUser(r, key, u)
		extensions.claim(key+".extension", u.Extension)
		if !followsBadExtension(r, key) {
			endpoints.claim(key+".endpoint", u.Endpoint)
		}
		mobiles.claim(key+".mobile", u.Mobile)
	}
	for i, t := range directory.Trunks {
		key := fmt.Sprintf("directory.trunks[%d]", i)
		validateTrunk(r, key, t)
		endpoints.claim(key+".endpoint", t.Endpoint)
	}
}

func validateUser(r *report, key string, u User) {
	if !userIDShape.Match(u.UserID) {
		r.problem(key+".user_id", "%s; write the user's id in the CRM, such as ae9c0d0e-0000-4000-8000-00000000053d", emptyOr(u.UserID, "not an id"))
	}
	if u.Extension == "" && u.Endpoint == "" && u.Mobile == "" && !r.bad[key+".extension"] && !r.bad[key+".endpoint"] && !r.bad[key+".mobile"] {
		r.problem(key, "no telephone at all; write an extension, an endpoint or a mobile number")
	}
	if u.Extension != "" && !extensionShape.Match(u.Extension) {
		r.problem(key+".extension", `not an internal number; write one such as "101"`)
	}
	if u.Endpoint != "" && !followsBadExtension(r, key) {
		validateEndpoint(r, key+".endpoint", u.Endpoint)
	}
	if u.Mobile != "" {
		validateNumber(r, key+".mobile", u.Mobile)
	}
}

// followsBadExtension reports whether an entry's endpoint was made from an
// extension that is reported already.
func followsBadExtension(r *report, key string) bool {
	return r.lines[key+".endpoint"] == 0 && r.isBad(key+".extension")
}

func validateTrunk(r *report, key string, t Trunk) {
	if t.Endpoint == "" {
		r.problem(key+".endpoint", "empty; write the trunk's channel name without its serial part, such as PJSIP/trunk")
	} else {
		validateEndpoint(r, key+".endpoint", t.Endpoint)
	}
	if t.Number != "" {
		validateNumber(r, key+".number", t.Number)
	}
}

func validateEndpoint(r *report, key, endpoint string) {
	technology, _, _ := strings.Cut(endpoint, "/")
	switch {
	case strings.EqualFold(technology, "Local"):
		r.problem(key, "Local channels belong to nobody; write the telephone's own channel, such as PJSIP/101")
	case !endpointShape.Match(endpoint):
		r.problem(key, "not technology/name; write it as it stands in channel names, such as PJSIP/101")
	}
}

func validateNumber(r *report, key, number string) {
	switch {
	case trunkPrefixShape.Match(number):
		r.problem(key, `begins with 8 instead of the country code; write it as "7" and the ten digits behind the 8`)
	case !numberShape.Match(number):
		r.problem(key, `not a full number; write 7 to 15 digits with the country code and without +, spaces and brackets, such as "79991112233"`)
	}
}

func emptyOr(text, otherwise string) string {
	if text == "" {
		return "empty"
	}
	return otherwise
}

// first remembers which key claimed a value first.
type first struct {
	*report
	keys map[string]string
}

func newFirst(r *report) first { return first{r, map[string]string{}} }

// claim reports a value that another key has claimed, in whatever letters.
func (f first) claim(key, value string) {
	if value == "" {
		return
	}
	value = strings.ToLower(value)
	if earlier, taken := f.keys[value]; taken {
		_, line := f.where(earlier)
		f.problem(key, "already taken by %s (line %d); write each extension, endpoint and mobile number once", earlier, line)
		return
	}
	f.keys[value] = key
}
