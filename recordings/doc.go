// Package recordings uploads recordings of calls to the CRM and has each announced
// once.
//
// A [Courier] takes jobs from the store ([bridge.RecordingJobs]): one for each channel
// that is gone, then one for each file. A job passes through these steps:
//
//   - seeking.go: which files belong to a channel. finding.go asks what Asterisk
//     reported, namedfiles.go and [Template] the names of files, mailboxes.go the
//     voicemail.
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
// The package opens files below the configured directories only (fileroot.go).
package recordings
