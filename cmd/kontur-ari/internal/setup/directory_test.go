package setup_test

import (
	"slices"
	"testing"

	"kontur-ari/bridge/directory"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
)

func TestTheDirectoryKnowsUsersAndTrunksOfTheConfiguration(t *testing.T) {
	people, err := setup.Directory(office())
	if err != nil {
		t.Fatal(err)
	}
	if party := people.Party("PJSIP/101-0000000a"); party.UserID != "u101" {
		t.Errorf("behind PJSIP/101 is %+v", party)
	}
	if users := people.Users("u101"); len(users) != 1 || users[0].Extension != "101" {
		t.Errorf("u101 is %+v", users)
	}
	if user, ok := people.UserByMobile("79221112233"); !ok || user.ID != "u101" {
		t.Errorf("behind the mobile number is %+v, %v", user, ok)
	}
	for channel, want := range map[string]string{"PJSIP/trunk-0000000a": "79229929292", "PJSIP/spare-0000000a": "", "PJSIP/101-0000000a": ""} {
		if number := people.TrunkNumber(channel); number != want {
			t.Errorf("the number of %s is %q, want %q", channel, number, want)
		}
	}
	// By its name alone it would be a telephone.
	cfg := office()
	cfg.Directory.Trunks = append(cfg.Directory.Trunks, configs.Trunk{Endpoint: "PJSIP/200"})
	if people, err = setup.Directory(cfg); err != nil {
		t.Fatal(err)
	}
	if side := people.SideOf("PJSIP/200-0000000a"); side != directory.Outside {
		t.Errorf("a trunk is %s", side)
	}
}

func TestUsersAreInTheOrderOfTheFile(t *testing.T) {
	want := []directory.User{
		{ID: "u102", Name: "Petrov", Extension: "102", Endpoint: "PJSIP/102"},
		{ID: "u101", Name: "Petrova", Extension: "101", Endpoint: "PJSIP/101", Mobile: "79221112233"},
	}
	if got := setup.Users(office()); !slices.Equal(got, want) {
		t.Errorf("the users are %+v, want %+v", got, want)
	}
	if got := setup.Users(configs.Config{}); len(got) > 0 {
		t.Errorf("without users there are %+v", got)
	}
}

func TestNumbersAreReadAsConfigured(t *testing.T) {
	cfg := office()
	cfg.Calls.Region = "KZ"
	cfg.Calls.InternalNumbers = configs.MustPattern(`7\d{2}`)
	cfg.Calls.HiddenNumber = "withheld"
	numbers, err := setup.Numbers(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := numbers.Normalise("8 (727) 258-80-00"); got != "77272588000" {
		t.Errorf("a number of Kazakhstan is %q", got)
	}
	if !numbers.IsInternal("701") || numbers.IsInternal("101") || numbers.IsInternal("7011") {
		t.Error("internal numbers are not those of the pattern")
	}
	if got := numbers.Client(""); got != "withheld" {
		t.Errorf("a number that is withheld is %q", got)
	}
	people, err := setup.Directory(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if got := people.Numbers().Client(""); got != "withheld" {
		t.Errorf("for the directory, a number that is withheld is %q", got)
	}
}

func TestAnErrorOfTheDirectoryNamesTheFieldAndWhatIsInIt(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*configs.Config)
		words  []string
	}{
		"an endpoint of two users": {
			func(c *configs.Config) { c.Directory.Users[1].Endpoint = "PJSIP/102" }, []string{"directory: ", "PJSIP/102", "101", "102"},
		},
		"a trunk that is a telephone": {
			func(c *configs.Config) { c.Directory.Trunks[0].Endpoint = "PJSIP/101" }, []string{"directory: ", "PJSIP/101", "trunk"},
		},
		"a region that there is not": {
			func(c *configs.Config) { c.Calls.Region = "XX" }, []string{"calls.region: ", `"XX"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := office()
			test.change(&cfg)
			people, err := setup.Directory(cfg)
			checkUnusable(t, err, test.words...)
			if people != nil {
				t.Error("there is a directory all the same")
			}
		})
	}
	cfg := office()
	cfg.Calls.Region = ""
	numbers, err := setup.Numbers(cfg)
	checkUnusable(t, err, "calls.region: ")
	if numbers != nil {
		t.Error("numbers are read all the same")
	}
}
