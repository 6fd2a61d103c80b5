package ari_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kontur-ari/bridge"
)

// contactsOf reads the contacts of an endpoint from an Asterisk that returns a value.
func contactsOf(t *testing.T, endpoint, value string) ([]string, error) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"value": value})
	if err != nil {
		t.Fatal(err)
	}
	_, phones := newAsterisk(t, string(body), 200)
	return phones.Contacts(t.Context(), "c", endpoint)
}

const premium = "sip:78091234567@provider"

func contactsUpTo(count int) string {
	var list []string
	for i := range count {
		list = append(list, fmt.Sprintf("PJSIP/101/sip:101@192.0.2.%d", i))
	}
	return strings.Join(list, "&")
}

func TestContactsOfTheEndpointAreDialled(t *testing.T) {
	for name, test := range map[string]struct{ endpoint, value string }{
		"one":                       {"PJSIP/101", "PJSIP/101/sip:101@192.0.2.7"},
		"two":                       {"PJSIP/101", "PJSIP/101/sip:101@192.0.2.7:5060&PJSIP/101/sip:101@192.0.2.8:5062"},
		"as many as may be":         {"PJSIP/101", contactsUpTo(10)},
		"encrypted":                 {"PJSIP/101", "PJSIP/101/sips:101@192.0.2.7:5061;transport=tls"},
		"parameters":                {"PJSIP/101", "PJSIP/101/sip:101@192.0.2.7:5060;transport=UDP;rinstance=18ab3f;ob;x-ast-orig-host=10.0.0.2:5060"},
		"IPv6":                      {"PJSIP/101", "PJSIP/101/sip:101@[2001:db8::7]:5060"},
		"a browser":                 {"PJSIP/101", "PJSIP/101/sip:0dp2q5ij@df7jal23ls0d.invalid;transport=ws"},
		"no user":                   {"PJSIP/101", "PJSIP/101/sip:192.0.2.7"},
		"a user with marks":         {"PJSIP/101", "PJSIP/101/sip:a-b_c.d!~*'()%26%2c=+$;?/e@192.0.2.7"},
		"technology in small":       {"pjsip/101", "PJSIP/101/sip:101@192.0.2.7"},
		"a name with dots":          {"PJSIP/phone-1.a", "PJSIP/phone-1.a/sip:101@192.0.2.7"},
		"two of the endpoint's own": {"PJSIP/101", "PJSIP/101/sip:x&PJSIP/101/" + premium},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := contactsOf(t, test.endpoint, test.value)
			if want := strings.Split(test.value, "&"); err != nil || !slices.Equal(got, want) {
				t.Errorf("%q, %v, want %q", got, err, want)
			}
		})
	}
}

// A phone chooses what it registers. Whatever is no plain address of the endpoint makes
// all of them unusable.
func TestForeignContactsAreNotDialled(t *testing.T) {
	const own = "PJSIP/101/sip:101@192.0.2.7"
	for name, value := range map[string]string{
		"a trunk":                          "PJSIP/101/sip:x&PJSIP/trunk/" + premium,
		"a trunk first":                    "PJSIP/trunk/" + premium + "&" + own,
		"a trunk between":                  own + "&PJSIP/trunk/" + premium + "&" + own,
		"a number at a trunk":              "PJSIP/101/sip:x&PJSIP/78091234567@trunk",
		"the dial plan":                    "PJSIP/101/sip:x&Local/78091234567@from-internal",
		"another technology":               "PJSIP/101/sip:x&SIP/101/sip:101@192.0.2.7",
		"another user":                     own + "&PJSIP/102/sip:102@192.0.2.8",
		"a longer name":                    own + "&PJSIP/1010/sip:101@192.0.2.7",
		"a shorter name":                   own + "&PJSIP/10/sip:101@192.0.2.7",
		"a name that ends so":              own + "&PJSIP/x@101/sip:101@192.0.2.7",
		"a user before the name":           own + "&PJSIP/78091234567@101/sip:101@192.0.2.7",
		"no address":                       own + "&PJSIP/101",
		"an empty address":                 own + "&PJSIP/101/",
		"a scheme only":                    own + "&PJSIP/101/sip:",
		"an encrypted scheme only":         own + "&PJSIP/101/sips:",
		"a number":                         own + "&PJSIP/101/tel:+78091234567",
		"an AOR":                           own + "&PJSIP/101/trunk",
		"a scheme in capitals":             own + "&PJSIP/101/SIP:101@192.0.2.7",
		"the rest of a user":               "PJSIP/101/sip:a&b@192.0.2.7",
		"nothing before":                   "&" + own,
		"nothing behind":                   own + "&",
		"nothing between":                  own + "&&" + own,
		"a comma":                          "PJSIP/101/sip:x,trunk@192.0.2.7",
		"a comma and a trunk":              "PJSIP/101/sip:x,sip:78091234567@provider",
		"a blank":                          "PJSIP/101/sip:1 01@192.0.2.7",
		"a blank before":                   " " + own,
		"a line":                           "PJSIP/101/sip:101@192.0.2.7\r\nX: y",
		"a NUL":                            "PJSIP/101/sip:101\x00@192.0.2.7",
		"a quote":                          `PJSIP/101/sip:"101"@192.0.2.7`,
		"a backslash":                      `PJSIP/101/sip:1\01@192.0.2.7`,
		"a name and angles":                "PJSIP/101/sip:<101>@192.0.2.7",
		"a variable of the dial plan":      "PJSIP/101/sip:${SHELL(id)}@192.0.2.7",
		"an option of Dial":                "PJSIP/101/sip:101@192.0.2.7^b|c",
		"letters of others":                "PJSIP/101/sip:анна@192.0.2.7",
		"the other direction":              "PJSIP/101/sip:\u202e101@192.0.2.7",
		"an escape sequence of a terminal": "PJSIP/101/sip:\x1b[2J@192.0.2.7",
		"more than may be":                 contactsUpTo(11),
		"very many":                        contactsUpTo(5000),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := contactsOf(t, "PJSIP/101", value)
			if got != nil || !errors.Is(err, bridge.ErrContacts) {
				t.Fatalf("%q, %v", got, err)
			}
			if text := err.Error(); len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Errorf("the reason is not fit to be printed: %q", text)
			}
		})
	}
}

// The endpoint's name is compared as it stands, since Asterisk does so.
func TestAnEndpointInOtherLettersIsAnother(t *testing.T) {
	if got, err := contactsOf(t, "PJSIP/Anna", "PJSIP/anna/sip:101@192.0.2.7"); got != nil || !errors.Is(err, bridge.ErrContacts) {
		t.Errorf("%q, %v", got, err)
	}
}

// Whatever phones register: what comes out is one dial string each, of the endpoint.
func FuzzContacts(f *testing.F) {
	for _, value := range []string{
		"", "&", "PJSIP/101/sip:101@192.0.2.7", "PJSIP/101/sip:x&PJSIP/trunk/" + premium, contactsUpTo(10), contactsUpTo(11),
		"PJSIP/101/sips:a,b", "PJSIP/101/sip:a/PJSIP/trunk/sip:b", "pjsip/101/sip:a&PJSIP/101/sip:b",
	} {
		f.Add("PJSIP/101", value)
	}
	f.Add("PJSIP/", "PJSIP//sip:a")
	f.Add("PJSIP/a&b", "PJSIP/a&b/sip:a")
	f.Fuzz(func(t *testing.T, endpoint, value string) {
		got, err := contactsOf(t, endpoint, value)
		if err != nil && len(got) > 0 || len(got) > 10 {
			t.Fatalf("%q, %v", got, err)
		}
		for _, dial := range got {
			parts := strings.SplitN(dial, "/", 3)
			if len(parts) != 3 || strings.ContainsAny(dial, "&,") || !strings.EqualFold(parts[0], "PJSIP") || "PJSIP/"+parts[1] != "PJSIP/"+endpoint[len("PJSIP/"):] ||
				!strings.HasPrefix(parts[2], "sip:") && !strings.HasPrefix(parts[2], "sips:") {
				t.Fatalf("of %q is dialled %q", endpoint, dial)
			}
		}
	})
}
