package lab

import (
	"bytes"
	"fmt"
	"text/template"
)

// OutsideNumber is what the dialplan shows outside.
const OutsideNumber = "79229929292"

// UserID is the id in the CRM of an extension's user. 104 has none.
func UserID(extension string) string {
	if extension == "104" {
		return ""
	}
	return "ae9c0d0e-0000-4000-8000-000000000" + extension
}

// ColleaguesMobile is the mobile phone of 102's user; no other user has one.
const ColleaguesMobile = "79161110102"

// Mobile is the mobile number of an extension's user, "" when there is none.
func Mobile(extension string) string {
	if extension == "102" {
		return ColleaguesMobile
	}
	return ""
}

// DaemonConfig is what a kontur-ari of this lab is configured with.
type DaemonConfig struct {
	Lab *Lab
	// URL, Username and Password are ARI's, where they aren't to be the lab's own.
	URL, Username, Password string
	// Application is its ARI application: daemons that run at the same time
	// need different ones.
	Application string
	// CRM is the CRM's address, Workspace and APIKey belong to it.
	CRM, Workspace, APIKey string
	// WithoutInternal leaves out calls between employees.
	WithoutInternal bool
	// AutoAnswer asks phones to pick up by themselves; RingTime is how long they ring
	// for the CRM, 30 s where it is "".
	AutoAnswer bool
	RingTime   string
	// Storage is where the daemon keeps its files, a folder of its own where it is "".
	Storage string
	// RequestTimeout is how long the CRM may take to answer, and LogLevel how much is
	// logged: 15s and debug where they are "".
	RequestTimeout, LogLevel string
	// Delivery and Recordings are keys of these sections.
	Delivery, Recordings map[string]string

	admin, server, storage string
}

// Users are the extensions in the daemon's directory.
func (DaemonConfig) Users() []string { return []string{"101", "102", "103", "105", "106", "107"} }

var daemonTemplate = template.Must(template.New("kontur-ari.yaml").Funcs(template.FuncMap{
	"userID": UserID,
	"mobile": Mobile,
	"number": func() string { return OutsideNumber },
}).Parse(`node: lab
asterisk:
  url: {{or .URL .Lab.URL}}
  username: {{or .Username .Lab.Username}}
  password: {{or .Password .Lab.Password}}
  application: {{.Application}}
kontur:
  base_url: {{.CRM}}
  workspace: {{.Workspace}}
  api_key: {{.APIKey}}
  request_timeout: {{or .RequestTimeout "15s"}}
admin:
  listen: {{.AdminListen}}
server:
  listen: {{.ServerListen}}
  base_path: /kontur
directory:
  users:
{{- range .Users}}
    - user_id: {{userID .}}
      name: Employee {{.}}
      extension: "{{.}}"
{{- with mobile .}}
      mobile: "{{.}}"
{{- end}}
{{- end}}
  trunks:
    - endpoint: PJSIP/trunk
      number: "{{number}}"
    - endpoint: PJSIP/trunk2
      number: "{{number}}"
calls:
  report_internal: {{not .WithoutInternal}}
  auto_answer: {{.AutoAnswer}}
  originate_timeout: {{or .RingTime "30s"}}
{{- with .Delivery}}
delivery:
{{- range $key, $value := .}}
  {{$key}}: {{$value}}
{{- end}}
{{- end}}
recordings:
{{- if not .Lab}}
  enabled: false
{{- else}}
  directory: {{.Monitor}}
  directory_in_asterisk: {{.MonitorInAsterisk}}
  voicemail_directory: {{.Voicemail}}
  voicemail_directory_in_asterisk: {{.VoicemailInAsterisk}}
{{- end}}
{{- range $key, $value := .Recordings}}
  {{$key}}: {{$value}}
{{- end}}
storage:
  directory: {{.StorageDirectory}}
log:
  level: {{or .LogLevel "debug"}}
  format: json
`))

// AdminListen is where the daemon serves its health.
func (c DaemonConfig) AdminListen() string { return c.admin }

// ServerListen is where the daemon takes commands.
func (c DaemonConfig) ServerListen() string { return c.server }

// StorageDirectory is where the daemon keeps its files.
func (c DaemonConfig) StorageDirectory() string { return c.storage }

// Monitor is the directory of the recordings.
func (c DaemonConfig) Monitor() string { return here(c.Lab.Spool("monitor")) }

// Voicemail is the directory of the mailboxes.
func (c DaemonConfig) Voicemail() string { return here(c.Lab.Spool("voicemail")) }

// MonitorInAsterisk is what Asterisk calls the directory of the recordings.
func (c DaemonConfig) MonitorInAsterisk() string { return inAsterisk(c.Lab.Spool("monitor")) }

// VoicemailInAsterisk is what Asterisk calls the directory of the mailboxes.
func (c DaemonConfig) VoicemailInAsterisk() string { return inAsterisk(c.Lab.Spool("voicemail")) }

func here(here, _ string) string             { return here }
func inAsterisk(_, inAsterisk string) string { return inAsterisk }

// YAML is the configuration file.
func (c DaemonConfig) YAML() ([]byte, error) {
	var text bytes.Buffer
	if err := daemonTemplate.Execute(&text, c); err != nil {
		return nil, fmt.Errorf("write the daemon's configuration: %w", err)
	}
	return text.Bytes(), nil
}
