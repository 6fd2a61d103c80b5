package directory

import (
	"errors"
	"fmt"
	"strings"

	"kontur-ari/bridge"
)

// User is an employee that the CRM knows.
type User struct {
	// ID is the CRM's id of the user.
	ID string
	// Name is for people who read the log; it reaches no report.
	Name string
	// Extension is the short number, Endpoint the phone ("PJSIP/101"); both are
	// "" for a user who has a mobile phone only.
	Extension string
	Endpoint  string
	// Mobile is the number of a mobile phone that calls are forwarded to; "" for none.
	Mobile string
}

// Trunk is a line to the outside.
type Trunk struct {
	// Endpoint is its channels' technology and name ("PJSIP/trunk").
	Endpoint string
	// Number is what callers outside know: externalVatsPhone where the call
	// itself does not show another.
	Number string
}

// Directory tells who is behind a channel. It is immutable and safe for
// concurrent use.
type Directory struct {
	Numbers   *Numbers
	users     map[string]User
	byID      map[string][]User
	mobiles   map[string]User
	trunks    map[string]Trunk
	numberFor map[string]string
}

// New builds a directory. Two users with one endpoint, or one endpoint
// that is both a user's and a trunk's, are an error.
func New(users []User, trunks []Trunk, numbers *Numbers) (*Directory, error) {
	d := &Directory{
		Numbers:   numbers,
		users:     make(map[string]User, len(users)),
		byID:      make(map[string][]User, len(users)),
		mobiles:   make(map[string]User),
		trunks:    make(map[string]Trunk, len(trunks)),
		numberFor: make(map[string]string, len(trunks)),
	}
	var errs []error
	for _, u := range users {
		d.byID[strings.ToLower(u.ID)] = append(d.byID[strings.ToLower(u.ID)], u)
		if mobile := numbers.Normalise(u.Mobile); mobile != "" {
			d.mobiles[mobile] = u
		}
		if u.Endpoint == "" {
			continue
		}
		key := strings.ToLower(u.Endpoint)
		if other, taken := d.users[key]; taken {
			errs = append(errs, fmt.Errorf("endpoint %s belongs to both %s and %s: give each user a phone of their own", u.Endpoint, other.Extension, u.Extension))
			continue
		}
		d.users[key] = u
	}
	for _, t := range trunks {
		key := strings.ToLower(t.Endpoint)
		if u, taken := d.users[key]; taken {
			errs = append(errs, fmt.Errorf("endpoint %s is listed as a trunk and as the phone of %s: remove one", t.Endpoint, u.Extension))
			continue
		}
		d.trunks[key] = t
		d.numberFor[key] = numbers.Normalise(t.Number)
	}
	return d, errors.Join(errs...)
}

// Entries are the entries of a user, as configured: one for each telephone or mobile
// number. The case of the id doesn't matter. None: no such user.
func (d *Directory) Entries(userID string) []User { return d.byID[strings.ToLower(userID)] }

// userByMobile finds the user whose mobile phone has that normalised number.
func (d *Directory) UserByMobile(number string) (User, bool) {
	u, ok := d.mobiles[number]
	return u, ok
}

// side says where a channel's far end stands.
type Side string

const (
	// employee: a phone of the house, whether or not the CRM knows its user.
	Employee Side = "employee"
	// outside: a trunk, or an endpoint that nothing is known of.
	Outside Side = "outside"
	// plumbing: a channel that the switch made for itself. Nobody is behind it.
	Plumbing Side = "plumbing"
)

// plumbingTechnologies are the channel technologies behind which nobody sits
// (Asterisk 22: core_local, res_stasis_snoop, bridge and ConfBridge announcers
// and recorders, message processing, external media, masquerade helpers).
var plumbingTechnologies = map[string]bool{
	"local": true, "snoop": true, "announcer": true, "recorder": true, "message": true,
	"cbann": true, "cbrec": true, "confbridgerecorder": true, "surrogate": true,
	"asyncgoto": true, "bridge": true, "unicastrtp": true, "multicastrtp": true,
	"audiosocket": true, "websocket": true, "mixmonitor": true, "parked": true,
}

// sideOf tells where the far end of a channel of that name stands.
func (d *Directory) SideOf(channelName string) Side {
	endpoint := EndpointOf(channelName)
	technology, resource, found := strings.Cut(endpoint, "/")
	if !found || plumbingTechnologies[technology] {
		return Plumbing
	}
	if _, ok := d.users[endpoint]; ok {
		return Employee
	}
	if _, ok := d.trunkKey(endpoint); ok {
		return Outside
	}
	if d.Numbers.IsInternal(resource) {
		return Employee
	}
	return Outside
}

// party is how an employee's channel appears in a report.
func (d *Directory) Party(channelName string) bridge.Party {
	return bridge.Party{Type: bridge.PartyUser, UserID: d.users[EndpointOf(channelName)].ID}
}

// trunkNumber is the configured number of the trunk that a channel uses; "" if none.
func (d *Directory) TrunkNumber(channelName string) string {
	key, _ := d.trunkKey(EndpointOf(channelName))
	return d.numberFor[key]
}

// trunkKey finds a trunk by an endpoint, which for some technologies goes on
// behind the trunk's name ("DAHDI/i1/79991112233").
func (d *Directory) trunkKey(endpoint string) (string, bool) {
	for key := endpoint; strings.Contains(key, "/"); key = key[:strings.LastIndex(key, "/")] {
		if _, ok := d.trunks[key]; ok {
			return key, true
		}
	}
	return "", false
}

// endpointOf cuts the serial off a channel name ("PJSIP/101-0000001a") and gives
// what is left in lower case, since technologies and endpoints are found without
// regard to case.
func EndpointOf(channelName string) string {
	name := strings.ToLower(channelName)
	if i := strings.LastIndex(name, "-"); i >= 0 {
		name = name[:i]
	}
	return name
}
