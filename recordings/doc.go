// Package recordings will bring recordings of calls to the CRM: find them, wait
// until they are whole, convert and upload them, and have each announced once.
// It does nothing yet; the keys under recordings in the configuration are read
// and checked.
package recordings
