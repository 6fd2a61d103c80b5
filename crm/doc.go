// Package crm reports calls to Kontur.CRM over its telephony API.
//
// A [Client] implements bridge.Sender: one report in, one HTTP request out, and
// a bridge.Result that says whether the CRM has it, may take it later or refused
// it for good. The client owns what belongs to the connection and to nothing
// else: the access key (kept in memory only, renewed on use), the bodies of the
// contract (wire.go) and the meaning of answers (classify.go). Order, storage
// and retries are its caller's.
//
// The client also asks: whether an access key that came with a command is the
// CRM's (key.go), who is responsible for a caller (redirect.go), and how our
// integration is set up there (instance.go).
//
// Package crm/crmtest is the CRM that its tests, and those of others, talk to.
package crm
