// Package recordings will bring recordings of calls to the CRM: find them, wait
// until they are whole, convert and upload them, and have each announced once.
//
// So far it finds them by the names that a dial plan gives them ([Template]), opens them
// without ever leaving their directory ([Folder]), and tells when their writer is done
// with them ([Settling]). Nothing calls it yet; the keys under recordings in the
// configuration are read and checked.
package recordings
