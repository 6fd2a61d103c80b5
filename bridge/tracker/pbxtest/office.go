package pbxtest

import (
	"fmt"
	"regexp"

	"kontur-ari/bridge/directory"
)

// The office of every script: numbers of +7, extensions of two to five digits.
// PJSIP/104 is a telephone of the house that no user of the CRM has. umob has a
// mobile telephone only.
var (
	users = []directory.User{
		{ID: "u101", Extension: "101", Endpoint: "PJSIP/101", Mobile: "+7 (922) 111-22-33"},
		{ID: "u102", Extension: "102", Endpoint: "PJSIP/102", Mobile: "79161110102"},
		{ID: "u103", Extension: "103", Endpoint: "PJSIP/103"},
		{ID: "u105", Extension: "105", Endpoint: "PJSIP/105"},
		{ID: "u106", Extension: "106", Endpoint: "PJSIP/106"},
		{ID: "u107", Extension: "107", Endpoint: "PJSIP/107"},
		{ID: "umob", Mobile: "89224445566"},
	}
	trunks = []directory.Trunk{
		{Endpoint: "PJSIP/trunk", Number: "8 (922) 992-92-92"},
		{Endpoint: "PJSIP/spare", Number: "+78005553535"},
		{Endpoint: "PJSIP/trunk2", Number: "8 800 555-35-36"},
		{Endpoint: "DAHDI/i1", Number: "73432000000"},
	}
)

// Office returns the directory of the office that all scripts and all traffic take
// place in: users u101 to u107 and umob, and four trunks.
func Office() *directory.Directory {
	numbers, err := directory.NewNumbers("RU", regexp.MustCompile(`^\d{2,5}$`), "anonymous")
	if err != nil {
		panic(fmt.Sprintf("the numbers of the office: %v", err))
	}
	people, err := directory.New(users, trunks, numbers)
	if err != nil {
		panic(fmt.Sprintf("the directory of the office: %v", err))
	}
	return people
}
