package bridge

import (
	"regexp"
	"strings"
	"testing"
)

func TestSideOf(t *testing.T) {
	directory := smallDirectory(t, []User{
		{ID: "u101", Extension: "101", Endpoint: "PJSIP/101"},
		{ID: "u2", Extension: "2", Endpoint: "SIP/Anna-Desk"},
	}, []Trunk{{Endpoint: "PJSIP/Trunk"}, {Endpoint: "DAHDI/i1"}, {Endpoint: "PJSIP/79229929292"}, {Endpoint: "IAX2/500"}})
	for _, test := range []struct {
		name string
		want side
	}{
		{"PJSIP/101-0000001a", employee},
		{"pjsip/101-0000001a", employee},
		{"SIP/anna-desk-00000002", employee},
		{"PJSIP/104-00000001", employee},
		{"SIP/101-00000001", employee},
		{"PJSIP/101-0000001a<ZOMBIE>", employee},

		{"PJSIP/trunk-00000000", outside},
		{"PJSIP/TRUNK-00000000", outside},
		{"DAHDI/i1/79991112233-1", outside},
		{"dahdi/I1/79991112233-2a", outside},
		{"PJSIP/79229929292-00000003", outside},
		{"PJSIP/79990000000-00000003", outside},
		{"PJSIP/anna-00000001", outside},
		{"DAHDI/i2/101-1", outside},
		{"PJSIP/anonymous-00000001", outside},
		// A trunk with the name of an internal number is a trunk all the same.
		{"IAX2/500-1234", outside},

		{"Local/101@from-internal-00000001;1", plumbing},
		{"Local/101@from-internal-00000001;2", plumbing},
		{"Snoop/1795403948.1-00000000", plumbing},
		{"Announcer/ARI-00000000;1", plumbing},
		{"Recorder/ARI-00000000;2", plumbing},
		{"Message/ast_msg_queue", plumbing},
		{"CBAnn/300-00000000;1", plumbing},
		{"CBRec/300-00000000;2", plumbing},
		{"Surrogate/PJSIP/101-0000001a", plumbing},
		{"AsyncGoto/PJSIP/101-0000001a", plumbing},
		{"Bridge/0x1", plumbing},
		{"UnicastRTP/127.0.0.1:9999-0x1", plumbing},
		{"MulticastRTP/0x1", plumbing},
		{"AudioSocket/127.0.0.1:9092-1", plumbing},
		{"", plumbing},
		{"-", plumbing},
		{"101", plumbing},
		{"PJSIP", plumbing},
	} {
		if got := directory.sideOf(test.name); got != test.want {
			t.Errorf("sideOf(%q) = %s, want %s", test.name, got, test.want)
		}
	}
}

func TestPartyInventsNoUser(t *testing.T) {
	directory := smallDirectory(t, []User{
		{ID: "u101", Endpoint: "PJSIP/101", Mobile: "8 922 111-22-33"},
		{ID: "umob", Mobile: "+79224445566"},
	}, nil)
	for name, want := range map[string]string{
		"PJSIP/101-0000001a": "u101",
		"pJsIp/101-0000001a": "u101",
		"PJSIP/104-00000001": "",
		"SIP/101-00000001":   "",
		"PJSIP/1011-0000001": "",
		"":                   "",
	} {
		if got := directory.party(name); got != (Party{Type: PartyUser, UserID: want}) {
			t.Errorf("party(%q) = %+v, want user %q", name, got, want)
		}
	}
	for number, want := range map[string]string{"79221112233": "u101", "79224445566": "umob", "": "", "9221112233": "", "79990000000": ""} {
		if user, ok := directory.userByMobile(number); ok != (want != "") || user.ID != want {
			t.Errorf("userByMobile(%q) = %q, %v", number, user.ID, ok)
		}
	}
}

func TestTrunkNumber(t *testing.T) {
	directory := smallDirectory(t, nil, []Trunk{
		{Endpoint: "PJSIP/trunk", Number: "8 (922) 992-92-92"}, {Endpoint: "DAHDI/i1", Number: "+7 343 200 00 00"}, {Endpoint: "PJSIP/bare"},
	})
	for name, want := range map[string]string{
		"PJSIP/trunk-00000000":   "79229929292",
		"PJSIP/TRUNK-00000000":   "79229929292",
		"DAHDI/i1/79991112233-1": "73432000000",
		"PJSIP/bare-00000000":    "",
		"PJSIP/other-00000000":   "",
		"":                       "",
	} {
		if got := directory.trunkNumber(name); got != want {
			t.Errorf("trunkNumber(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestNewDirectoryRefusesSharedEndpoints(t *testing.T) {
	numbers, err := NewNumbers("RU", regexp.MustCompile(`^\d{3}$`), "anonymous")
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewDirectory([]User{
		{ID: "a", Extension: "101", Endpoint: "PJSIP/101"},
		{ID: "b", Extension: "102", Endpoint: "pjsip/101"},
		{ID: "c", Extension: "103", Endpoint: "PJSIP/line"},
		{ID: "d"}, {ID: "e"},
	}, []Trunk{{Endpoint: "PJSIP/Line"}}, numbers)
	if err == nil {
		t.Fatal("no error")
	}
	for _, part := range []string{"endpoint pjsip/101 belongs to both 101 and 102", "endpoint PJSIP/Line is listed as a trunk and as the phone of 103"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error does not say %q: %v", part, err)
		}
	}
}

func smallDirectory(t *testing.T, users []User, trunks []Trunk) *Directory {
	t.Helper()
	numbers, err := NewNumbers("RU", regexp.MustCompile(`^\d{2,5}$`), "anonymous")
	if err != nil {
		t.Fatal(err)
	}
	directory, err := NewDirectory(users, trunks, numbers)
	if err != nil {
		t.Fatal(err)
	}
	return directory
}
