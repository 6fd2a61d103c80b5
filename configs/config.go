package configs

import (
	"net/netip"
	"time"

	"kontur-ari/internal/secret"
)

// Config is the whole configuration. As [Load] returns it every value is
// present, in range and consistent with the others; it is plain data and may be
// copied. The key of a field in the YAML file is its mapstructure tag.
type Config struct {
	// Node names this Asterisk host in everything that may meet another host's
	// data. It defaults to the host name.
	Node string `mapstructure:"node"`
	// ShutdownTimeout is how long a stopping daemon may spend on finishing what
	// it has begun.
	ShutdownTimeout time.Duration `mapstructure:"shutdown_timeout"`

	Asterisk   Asterisk   `mapstructure:"asterisk"`
	Kontur     Kontur     `mapstructure:"kontur"`
	Server     Server     `mapstructure:"server"`
	Admin      Admin      `mapstructure:"admin"`
	Directory  Directory  `mapstructure:"directory"`
	Calls      Calls      `mapstructure:"calls"`
	Redirect   Redirect   `mapstructure:"redirect"`
	Delivery   Delivery   `mapstructure:"delivery"`
	Recordings Recordings `mapstructure:"recordings"`
	History    History    `mapstructure:"history"`
	Storage    Storage    `mapstructure:"storage"`
	Log        Log        `mapstructure:"log"`
}

// Asterisk is how ARI, the REST interface of Asterisk, is reached.
type Asterisk struct {
	// URL is ARI's base URL without a slash at its end: http://127.0.0.1:8088/ari.
	URL string `mapstructure:"url"`
	// Username is a user of ari.conf who may write.
	Username string `mapstructure:"username"`
	// Password is that user's password.
	Password secret.String `mapstructure:"password"`
	// PasswordFile is the file that Password was to be read from; "" for none.
	PasswordFile string `mapstructure:"password_file"`
	// Application is the name under which events are subscribed to. Two daemons
	// with the same name on one Asterisk would take the events from each other.
	Application string `mapstructure:"application"`
}

// Kontur is how Kontur.CRM is reached and which workspace the calls go to.
type Kontur struct {
	// BaseURL is the CRM's address without a slash at its end.
	BaseURL string `mapstructure:"base_url"`
	// Workspace is the name of the workspace; it is safe in a URL's path.
	Workspace string `mapstructure:"workspace"`
	// APIKey is the integration's API key.
	APIKey secret.String `mapstructure:"api_key"`
	// APIKeyFile is the file that APIKey was to be read from; "" for none.
	APIKeyFile string `mapstructure:"api_key_file"`
	// IntegrationSecret is name=value, for a public integration only.
	IntegrationSecret secret.String `mapstructure:"integration_secret"`
	// IntegrationSecretFile is the file that IntegrationSecret was to be read
	// from; "" for none.
	IntegrationSecretFile string `mapstructure:"integration_secret_file"`
	// IntegrationID is the id of the integration's instance, "" when it is to
	// be learnt from the authorisation.
	IntegrationID string `mapstructure:"integration_id"`
	// SharedWorkspace says that more than one Asterisk feeds the workspace, so
	// that external ids of calls need the node's name in front.
	SharedWorkspace bool `mapstructure:"shared_workspace"`
	// RequestTimeout bounds one request, from connecting to the last byte.
	RequestTimeout time.Duration `mapstructure:"request_timeout"`
	// Connections is how many requests may be under way at the same time.
	Connections int `mapstructure:"connections"`
}

// Server is where the CRM's own requests arrive.
type Server struct {
	// Listen is host:port, or "": commands and webhooks are not taken at all.
	Listen string `mapstructure:"listen"`
	// BasePath is the path part of the instance's base URL: "" or /something.
	BasePath string `mapstructure:"base_path"`
	// TLSCert and TLSKey are absolute paths of PEM files: both set or both "".
	TLSCert string `mapstructure:"tls_cert"`
	TLSKey  string `mapstructure:"tls_key"`
	// AllowedNetworks are those that commands may come from. Empty: all.
	AllowedNetworks []netip.Prefix `mapstructure:"allowed_networks"`
	// TrustedProxies are those whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix `mapstructure:"trusted_proxies"`
}

// Admin is where the daemon's health is served.
type Admin struct {
	// Listen is host:port.
	Listen string `mapstructure:"listen"`
}

// Directory says whose telephones are whose.
type Directory struct {
	// Users have no extension, endpoint or mobile number in common. One person
	// may appear in several entries.
	Users []User `mapstructure:"users"`
	// Trunks have no endpoint in common, nor with Users.
	Trunks []Trunk `mapstructure:"trunks"`
}

// User is one telephone, or one mobile number, of a user of the CRM.
type User struct {
	// UserID is the user's id in the CRM, never "".
	UserID string `mapstructure:"user_id"`
	// Name is for people who read logs; it may be "".
	Name string `mapstructure:"name"`
	// Extension is the internal number, "" for an entry that has none.
	Extension string `mapstructure:"extension"`
	// Endpoint is the channel name without its serial part, as in PJSIP/101. It
	// is "" only in an entry that has no extension either.
	Endpoint string `mapstructure:"endpoint"`
	// Mobile is digits with the country code and without +, or "".
	Mobile string `mapstructure:"mobile"`
}

// Trunk is one line to the world outside.
type Trunk struct {
	// Endpoint is the channel name without its serial part, as in PJSIP/trunk.
	Endpoint string `mapstructure:"endpoint"`
	// Number is the number outgoing calls show by themselves: digits, or "".
	Number string `mapstructure:"number"`
}

// Calls is how calls are understood, and what the CRM may dial.
type Calls struct {
	// Region is the country that a number without a country code belongs to: two
	// capital letters.
	Region string `mapstructure:"region"`
	// ReportInternal says whether calls between employees are reported.
	ReportInternal bool `mapstructure:"report_internal"`
	// InternalNumbers matches numbers that are no public telephone numbers.
	InternalNumbers Pattern `mapstructure:"internal_numbers"`
	// HiddenNumber stands in for a caller's number that is withheld.
	HiddenNumber string `mapstructure:"hidden_number"`
	// OriginateContext is the dialplan context a click-to-call is dialled in.
	OriginateContext string `mapstructure:"originate_context"`
	// OriginateTimeout is how long the employee's telephone rings for it.
	OriginateTimeout time.Duration `mapstructure:"originate_timeout"`
	// AutoAnswer asks the employee's telephone to answer by itself.
	AutoAnswer bool `mapstructure:"auto_answer"`
	// AllowedNumbers matches what the CRM may have dialled. Empty: nothing.
	AllowedNumbers []Pattern `mapstructure:"allowed_numbers"`
	// CallsPerMinute is how many calls the CRM may start in a minute for one user.
	CallsPerMinute int `mapstructure:"calls_per_minute"`
	// CallsAtOnce is how many of them may go on at a time.
	CallsAtOnce int `mapstructure:"calls_at_once"`
}

// Redirect is about asking the CRM who is responsible for a caller.
type Redirect struct {
	// Timeout is how long a caller may wait in all, until the dial plan goes on.
	Timeout time.Duration `mapstructure:"timeout"`
}

// Recordings is which recordings are handed to the CRM, and how.
type Recordings struct {
	// Enabled says whether recordings are handed over at all.
	Enabled bool `mapstructure:"enabled"`
	// Directory is the absolute path below which recordings are looked for,
	// DirectoryInAsterisk what Asterisk calls it; "" where that is the same.
	Directory           string `mapstructure:"directory"`
	DirectoryInAsterisk string `mapstructure:"directory_in_asterisk"`
	// VoicemailDirectory is where the mailboxes are, likewise; "" for none.
	VoicemailDirectory           string `mapstructure:"voicemail_directory"`
	VoicemailDirectoryInAsterisk string `mapstructure:"voicemail_directory_in_asterisk"`
	// Names are how the dial plan names recordings that Asterisk does not show.
	Names []string `mapstructure:"names"`
	// Format is "keep" or "mp3".
	Format string `mapstructure:"format"`
	// SettleTime is how long a file must not have changed to be whole.
	SettleTime time.Duration `mapstructure:"settle_time"`
	// MissingAfter is how long a file that Asterisk has shown may be absent.
	MissingAfter time.Duration `mapstructure:"missing_after"`
	// Uploads is how many files are uploaded at a time.
	Uploads int `mapstructure:"uploads"`
	// UploadRate bounds all uploads together, in bytes a second; 0: nothing does.
	UploadRate Size `mapstructure:"upload_rate"`
	// Keep is "forever", "delete", or a duration: see KeepFor.
	Keep string `mapstructure:"keep"`
	// Make says whether conversations with people outside are recorded without the
	// dial plan doing so, MakeInternal whether those between employees are too.
	Make         bool `mapstructure:"make"`
	MakeInternal bool `mapstructure:"make_internal"`
	// NeverUsers are ids of users, NeverNumbers our own numbers, of whose conversations
	// nothing is recorded for Make.
	NeverUsers   []string `mapstructure:"make_never_users"`
	NeverNumbers []string `mapstructure:"make_never_numbers"`
}

// History is where call detail records are read from.
type History struct {
	// Source is "", "csv", "sqlite", "mysql" or "postgres".
	Source string `mapstructure:"source"`
	// DSN is a path or a database's address; set whenever Source is.
	DSN secret.String `mapstructure:"dsn"`
	// DSNFile is the file that DSN was to be read from; "" for none.
	DSNFile string `mapstructure:"dsn_file"`
}

// Delivery is how reports are brought to the CRM when it can't take them at once.
type Delivery struct {
	// FirstPause is the pause after a first failure, about.
	FirstPause time.Duration `mapstructure:"first_pause"`
	// LongestPause is what the pauses grow to, each twice the one before. It is not
	// shorter than FirstPause.
	LongestPause time.Duration `mapstructure:"longest_pause"`
	// CollapseAfter is how long a call must have waited to be reported, once it is over, by
	// its register-call alone.
	CollapseAfter time.Duration `mapstructure:"collapse_after"`
}

// Storage is what is kept on disk.
type Storage struct {
	// Directory is the absolute path of the state directory.
	Directory string `mapstructure:"directory"`
	// JournalKeep is how long events and delivered reports are kept.
	JournalKeep time.Duration `mapstructure:"journal_keep"`
	// JournalMaxSize is how large the store may grow before the oldest of them are
	// removed. What waits to be delivered is counted, and never removed.
	JournalMaxSize Size `mapstructure:"journal_max_size"`
	// MemoryMaxSize is how much memory events may take while they can't be stored.
	MemoryMaxSize Size `mapstructure:"memory_max_size"`
}

// Log is what is logged, and in which form.
type Log struct {
	// Level is "debug", "info", "warn" or "error".
	Level string `mapstructure:"level"`
	// Format is "auto", "json", "console" or "journald".
	Format string `mapstructure:"format"`
}
