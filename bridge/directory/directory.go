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
	// Name is for the log only; no report holds it.
	Name string
	// Extension is the short number, Endpoint the phone ("PJSIP/101"); both are
	// "" for a user who has a mobile phone only.
	Extension string
	Endpoint  string
	// Mobile is the number of a mobile phone that calls are forwarded to; "" for none.
	Mobile string
}

// Trunk is an endpoint that leads outside.
type Trunk struct {
	// Endpoint is its channels' technology and name ("PJSIP/trunk").
	Endpoint string
	// Number is the number that callers outside dial. It becomes externalVatsPhone where
	// the call itself shows none.
	Number string
}

// Directory knows who is behind a channel. It is immutable and safe for concurrent use.
type Directory struct {
	numbers   *Numbers
	users     map[string]User
	byID      map[string][]User
	mobiles   map[string]User
	trunks    map[string]Trunk
	numberFor map[string]string
}

// New builds a directory. It is an error if two users have one endpoint, or if an endpoint
// is both a user's and a trunk's. A user may be listed several times, once for each
// telephone.
func New(users []User, trunks []Trunk, numbers *Numbers) (*Directory, error) {
	d := &Directory{
		numbers:   numbers,
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

// Numbers returns the rules for numbers that the directory was built with.
func (d *Directory) Numbers() *Numbers { return d.numbers }

// Users returns the entries of a user as configured, one for each telephone or mobile
// number, and none for an unknown user. The case of the id doesn't matter.
func (d *Directory) Users(userID string) []User { return d.byID[strings.ToLower(userID)] }

// UserByMobile returns the user whose mobile phone has this normalised number.
func (d *Directory) UserByMobile(number string) (User, bool) {
	u, ok := d.mobiles[number]
	return u, ok
}

// Side says who is at the far end of a channel. The set is fixed.
type Side string

// The sides.
const (
	// Employee: a phone of the office, whether or not the CRM knows its user.
	Employee Side = "employee"
	// Outside: a trunk, or an unknown endpoint whose name is no internal number.
	Outside Side = "outside"
	// Plumbing: a channel without a person, which Asterisk made for its own use: a half
	// of a Local channel, a snoop channel, an announcer.
	Plumbing Side = "plumbing"
)

// plumbingTechnologies are the channel technologies without a person at the far end
// (Asterisk 22: core_local, res_stasis_snoop, bridge and ConfBridge announcers
// and recorders, message processing, external media, masquerade helpers).
var plumbingTechnologies = map[string]bool{
	"local": true, "snoop": true, "announcer": true, "recorder": true, "message": true,
	"cbann": true, "cbrec": true, "confbridgerecorder": true, "surrogate": true,
	"asyncgoto": true, "bridge": true, "unicastrtp": true, "multicastrtp": true,
	"audiosocket": true, "websocket": true, "mixmonitor": true, "parked": true,
}

// SideOf returns the side of a channel by its name ("PJSIP/101-0000001a"). An endpoint that
// is neither a user's nor a trunk's is an Employee's if its name is an internal number.
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
	if d.numbers.IsInternal(resource) {
		return Employee
	}
	return Outside
}

// Party returns the party of a report for an employee's channel. Its UserID is "" if the
// directory has no user for the endpoint.
func (d *Directory) Party(channelName string) bridge.Party {
	return bridge.Party{Type: bridge.PartyUser, UserID: d.users[EndpointOf(channelName)].ID}
}

// TrunkNumber returns the configured number of the trunk that a channel uses, normalised;
// "" if there is none.
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

// EndpointOf returns the endpoint of a channel by its name: without the serial, and in
// lower case ("PJSIP/101-0000001a" gives "pjsip/101"). Endpoints are compared without
// regard to case.
func EndpointOf(channelName string) string {
	name := strings.ToLower(channelName)
	if i := strings.LastIndex(name, "-"); i >= 0 {
		name = name[:i]
	}
	return name
}
