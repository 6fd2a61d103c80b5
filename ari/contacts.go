package ari

import (
	"fmt"
	"strconv"
	"strings"

	"kontur-ari/bridge"
)

const (
	// maxContacts is how many telephones of one endpoint ring for one click-to-call.
	maxContacts = 10
	// maxQuoted bounds how much of a refused contact an error quotes, in bytes.
	maxQuoted = 120
	// uriMarks are the characters of a SIP URI beside letters and digits (RFC 3261,
	// 25.1), without "&" and ",": Asterisk separates dial strings by the one and the
	// addresses of an endpoint by the other.
	uriMarks = "-_.!~*'()%;/?:@=+$[]"
)

// dialContacts splits a value of PJSIP_DIAL_CONTACTS into dial strings of the
// telephones that are registered for an endpoint, "PJSIP/101".
//
// A phone chooses the address that it registers, and Asterisk 22 puts it into the
// value as it is. An address with "&" in it therefore looks like several telephones,
// some of them at another endpoint, such as a trunk. So one piece that is no address
// of this endpoint makes the whole value unusable, because the others may be invented
// too: dialContacts returns [bridge.ErrContacts] and no dial string.
func dialContacts(endpoint, value string) ([]string, error) {
	if value == "" {
		return nil, nil
	}
	if count := strings.Count(value, "&") + 1; count > maxContacts {
		return nil, fmt.Errorf("%w: %s has %d contacts, and at most %d are called", bridge.ErrContacts, endpoint, count, maxContacts)
	}
	pieces := strings.Split(value, "&")
	for _, piece := range pieces {
		if !isContactOf(endpoint, piece) {
			return nil, fmt.Errorf("%w: %s is no SIP address of %s", bridge.ErrContacts, strconv.QuoteToASCII(cut(piece, maxQuoted)), endpoint)
		}
	}
	return pieces, nil
}

// isContactOf reports whether a dial string is a SIP address of an endpoint,
// "PJSIP/101/sip:101@192.0.2.7". Asterisk compares names of technologies without
// regard to case, and those of endpoints as they are.
func isContactOf(endpoint, dial string) bool {
	if !isPJSIP(endpoint) || !isPJSIP(dial) {
		return false
	}
	name := endpoint[len("PJSIP/"):]
	uri, here := strings.CutPrefix(dial[len("PJSIP/"):], name+"/")
	if !here {
		return false
	}
	address, plain := strings.CutPrefix(uri, "sip:")
	if !plain {
		var secure bool
		if address, secure = strings.CutPrefix(uri, "sips:"); !secure {
			return false
		}
	}
	return address != "" && strings.IndexFunc(address, isForeignToURI) < 0
}

// isForeignToURI reports whether a character is none of a SIP URI, or one that
// separates things in a dial string.
func isForeignToURI(r rune) bool {
	alphanumeric := r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !alphanumeric && !strings.ContainsRune(uriMarks, r)
}
