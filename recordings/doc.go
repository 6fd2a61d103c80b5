// Package recordings uploads recordings of calls to the CRM and has each announced
// once.
//
// A [Courier] takes jobs from the store ([bridge.RecordingJobs]): one for each channel
// that is gone, then one for each file. A job passes through these steps:
//
//   - seeking.go: how long files are looked for. finding.go: which files belong to a
//     channel, by what Asterisk's events showed ([bridge.Recorded]), by the names of files
//     (namedfiles.go, [Template]), or by its voicemail message (mailboxes.go).
//   - following.go: wait until a file no longer grows. settling.go decides, and is pure;
//     soundheader.go reads the length in a WAVE header. fetching.go gets the files that
//     Asterisk keeps itself.
//   - uploadqueue.go, uploading.go: upload the file once its call is over. sending.go is
//     one attempt, conversion.go and converting.go make an MP3.
//   - removing.go: remove files that the CRM has.
//
// The announcement (call-recording) enters the outbox in the transaction that ends the
// job. A crash may therefore upload a file twice, and the CRM forgets an unannounced
// file after a day. It never announces a file twice.
//
// A new way to find files is a function beside findNamed and findMessages, called by find.
// A new place of files needs a [bridge.RecordingPlace], a directory in [Config], and an
// entry in directories, troubles and resolve; where its bytes are remote, also in
// fetching.go and removing.go.
//
// The package opens files below the configured directories only (fileroot.go).
package recordings
