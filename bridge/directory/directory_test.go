package directory

import (
	"regexp"
	"strings"
	"testing"

	"kontur-ari/bridge"
)

func TestSideOf(t *testing.T) {
	directory := smallDirectory(t, []User{
		{ID: "u101", Extension: "101", Endpoint: "PJSIP/101"},
		{ID: "u2", Extension: "2", Endpoint: "SIP/Anna-Desk"},
	}, []Trunk{{Endpoint: "PJSIP/Trunk"}, {Endpoint: "DAHDI/i1"}, {Endpoint: "PJSIP/79229929292"}, {Endpoint: "IAX2/500"}})
	for _, test := range []struct {
		name string
		want Side
	}{
		{"PJSIP/101-0000001a", Employee},
		{"pjsip/101-0000001a", Employee},
		{"SIP/anna-desk-00000002", Employee},
		{"PJSIP/104-00000001", Employee},
		{"SIP/101-00000001", Employee},
		{"PJSIP/101-0000001a<ZOMBIE>", Employee},

		{"PJSIP/trunk-00000000", Outside},
		{"PJSIP/TRUNK-00000000", Outside},
		{"DAHDI/i1/79991112233-1", Outside},
		{"dahdi/I1/79991112233-2a", Outside},
		{"PJSIP/79229929292-00000003", Outside},
		{"PJSIP/79990000000-00000003", Outside},
		{"PJSIP/anna-00000001", Outside},
		{"DAHDI/i2/101-1", Outside},
		{"PJSIP/anonymous-00000001", Outside},
		// A trunk with the name of an internal number is a trunk all the same.
		{"IAX2/500-1234", Outside},

		{"Local/101@from-internal-00000001;1", Plumbing},
		{"Local/101@from-internal-00000001;2", Plumbing},
		{"Snoop/1795403948.1-00000000", Plumbing},
		{"Announcer/ARI-00000000;1", Plumbing},
		{"Recorder/ARI-00000000;2", Plumbing},
		{"Message/ast_msg_queue", Plumbing},
		{"CBAnn/300-00000000;1", Plumbing},
		{"CBRec/300-00000000;2", Plumbing},
		{"Surrogate/PJSIP/101-0000001a", Plumbing},
		{"AsyncGoto/PJSIP/101-0000001a", Plumbing},
		{"Bridge/0x1", Plumbing},
		{"UnicastRTP/127.0.0.1:9999-0x1", Plumbing},
		{"MulticastRTP/0x1", Plumbing},
		{"AudioSocket/127.0.0.1:9092-1", Plumbing},
		{"", Plumbing},
		{"-", Plumbing},
		{"101", Plumbing},
		{"PJSIP", Plumbing},
	} {
		if got := directory.SideOf(test.name); got != test.want {
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
		if got := directory.Party(name); got != (bridge.Party{Type: bridge.PartyUser, UserID: want}) {
			t.Errorf("party(%q) = %+v, want user %q", name, got, want)
		}
	}
	for number, want := range map[string]string{"79221112233": "u101", "79224445566": "umob", "": "", "9221112233": "", "79990000000": ""} {
		if user, ok := directory.UserByMobile(number); ok != (want != "") || user.ID != want {
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
		if got := directory.TrunkNumber(name); got != want {
			t.Errorf("trunkNumber(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestNewDirectoryRefusesSharedEndpoints(t *testing.T) {
	numbers, err := NewNumbers("RU", regexp.MustCompile(`^\d{3}$`), "anonymous")
	if err != nil {
		t.Fatal(err)
	}
	_, err = New([]User{
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
	directory, err := New(users, trunks, numbers)
	if err != nil {
		t.Fatal(err)
	}
	return directory
}
