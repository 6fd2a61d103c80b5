package redirect

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kontur-ari/bridge/directory"
)

var staff = []directory.User{
	{ID: "anna", Extension: "101", Endpoint: "PJSIP/101", Mobile: "79161110101"},
	{ID: "boris", Mobile: "79161110102"},
	{ID: "Vera", Extension: "103", Endpoint: "PJSIP/103"},
	{ID: "anna", Extension: "201", Endpoint: "PJSIP/201"},
	{ID: "gleb", Endpoint: "PJSIP/door"},
	{ID: "", Extension: "105", Endpoint: "PJSIP/105"},
}

func extensions(phones []Phone) []string {
	list := []string{}
	for _, phone := range phones {
		list = append(list, phone.Extension)
	}
	return list
}

func TestCandidatesAreThePhonesOfTheResponsibleInTheirOrder(t *testing.T) {
	book := newPhonebook(staff)
	for name, test := range map[string]struct {
		responsible []string
		want        []string
	}{
		"no user":                            {nil, []string{}},
		"one with two telephones":            {[]string{"anna"}, []string{"101", "201"}},
		"the CRM's order":                    {[]string{"vera", "anna"}, []string{"103", "101", "201"}},
		"named twice":                        {[]string{"anna", "vera", "ANNA"}, []string{"101", "201", "103"}},
		"a mobile only":                      {[]string{"boris", "vera"}, []string{"103"}},
		"a telephone without an extension":   {[]string{"gleb"}, []string{}},
		"not in the directory":               {[]string{"stranger", "vera"}, []string{"103"}},
		"an empty id":                        {[]string{""}, []string{}},
		"a number instead of an id is no id": {[]string{"79161110101", "101", "PJSIP/101"}, []string{}},
	} {
		if diff := cmp.Diff(test.want, extensions(book.candidates(test.responsible, mostPhones))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	if got := book.candidates([]string{"anna", "vera"}, 2); len(got) != 2 {
		t.Errorf("more than was asked for: %v", got)
	}
}

func TestChooseTakesTheFirstFreePhone(t *testing.T) {
	phones := []Phone{{UserID: "a", Extension: "101"}, {UserID: "b", Extension: "102"}, {UserID: "c", Extension: "103"}}
	const off, busy, free, unread = PhoneOffline, PhoneBusy, PhoneFree, PhoneUnread
	for name, test := range map[string]struct {
		states []PhoneState
		result Result
		exten  string
	}{
		"no candidates":          {nil, Nobody, ""},
		"the first":              {[]PhoneState{free, free, free}, Found, "101"},
		"busy, then free":        {[]PhoneState{busy, off, free}, Found, "103"},
		"unread, then free":      {[]PhoneState{unread, free}, Found, "102"},
		"all busy":               {[]PhoneState{busy, busy, busy}, Busy, ""},
		"offline and busy":       {[]PhoneState{off, busy, off}, Busy, ""},
		"all offline":            {[]PhoneState{off, off, off}, Offline, ""},
		"unread among offline":   {[]PhoneState{off, unread, off}, Failed, ""},
		"busy is known at least": {[]PhoneState{unread, busy, unread}, Busy, ""},
		"nothing could be read":  {[]PhoneState{unread}, Failed, ""},
	} {
		result, phone := choose(phones[:len(test.states)], test.states)
		if result != test.result || phone.Extension != test.exten {
			t.Errorf("%s: %s %q, want %s %q", name, result, phone.Extension, test.result, test.exten)
		}
	}
}

// Whatever the CRM says: the chosen user is in the directory, named by the CRM and free,
// and no user named before has a free telephone. Without a choice, no telephone is free.
func TestTheChosenPhoneIsResponsibleAndFree(t *testing.T) {
	word := rapid.SampledFrom([]string{"", "a", "A", "b", "c", "d", "e"})
	rapid.Check(t, func(t *rapid.T) {
		users := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) directory.User {
			return directory.User{ID: word.Draw(t, "id"), Extension: word.Draw(t, "extension"), Endpoint: word.Draw(t, "endpoint")}
		}), 0, 8).Draw(t, "users")
		responsible := rapid.SliceOfN(word, 0, 6).Draw(t, "responsible")
		phones := newPhonebook(users).candidates(responsible, mostPhones)
		states := rapid.SliceOfN(rapid.SampledFrom([]PhoneState{PhoneUnread, PhoneOffline, PhoneBusy, PhoneFree}), len(phones), len(phones)).Draw(t, "states")
		result, phone := choose(phones, states)

		free := slices.Index(states, PhoneFree)
		if (result == Found) != (free >= 0) || !slices.Contains([]Result{Found, Nobody, Busy, Offline, Failed}, result) {
			t.Fatalf("%s of %v", result, states)
		}
		if result != Found {
			if phone != (Phone{}) {
				t.Fatalf("%s with %v", result, phone)
			}
			return
		}
		if phone != phones[free] {
			t.Fatalf("%v is not the first free one of %v", phone, phones)
		}
		if !slices.ContainsFunc(users, func(u directory.User) bool {
			return u.ID == phone.UserID && u.Extension == phone.Extension && u.Endpoint == phone.Endpoint && u.Extension != ""
		}) {
			t.Fatalf("%v is not in the directory", phone)
		}
		rank := func(p Phone) int {
			return slices.IndexFunc(responsible, func(id string) bool { return strings.EqualFold(id, p.UserID) })
		}
		if rank(phone) < 0 {
			t.Fatalf("%v is not responsible", phone)
		}
		for i, other := range phones {
			if states[i] == PhoneFree && rank(other) < rank(phone) {
				t.Fatalf("%v comes before %v", other, phone)
			}
		}
	})
}
