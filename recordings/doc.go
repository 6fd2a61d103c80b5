// Package recordings brings recordings of calls to the CRM: it finds them, waits until
// they are whole, uploads them, and has each announced once.
//
// A [Courier] takes the channels that are gone from the store ([bridge.RecordingJobs]).
// What the switch has told of their recordings, and what the names of files say
// ([Template]), leads to files (finding.go); each is followed until its writer is done with
// it ([Settling]); once its call is over it is uploaded (uploading.go), and its
// call-recording put into the outbox in one transaction with the end of the job. So a
// crash at any moment may upload a file twice, which the CRM forgets after a day, and has
// it announced once.
//
// Files are opened below the configured directories only ([Folder]).
package recordings
