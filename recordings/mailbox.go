package recordings

import (
	"bufio"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
)

// mailboxes are where app_voicemail keeps messages (Asterisk 22, storage in files):
// CONTEXT/MAILBOX/FOLDER, of each message a text beside the sound. One that was listened to
// moves to another folder.
var mailboxes = []string{"*/*/*"}

const (
	// clocksDiffer is by how much the switch's clock and that of the files may differ:
	// both are this machine's, but not to the second.
	clocksDiffer = 2 * time.Second
	// largestNote bounds what is read of the text beside a message.
	largestNote = 64 << 10
)

// findMessages looks for the messages that a channel has left in mailboxes. They name it.
func (c *Courier) findMessages(open folders, r *bridge.Recorded, found *findings) {
	folder := open.by[bridge.PlaceVoicemail]
	if folder == nil || r.Name == "" {
		return
	}
	for _, pattern := range mailboxes {
		boxes, err := fs.Glob(folder.root.FS(), pattern)
		if err != nil {
			c.trouble.because("mailboxes can't be looked for", err.Error(), zap.String("pattern", pattern))
		}
		for _, box := range boxes {
			// A folder is changed when a message is put into it.
			if info, err := folder.root.Stat(box); err == nil && !info.ModTime().Before(r.From.Add(-clocksDiffer)) {
				folder.messagesOf(box, r, open, found)
			}
		}
	}
}

// messagesOf adds the messages of a channel in one folder.
func (f *Folder) messagesOf(box string, r *bridge.Recorded, open folders, found *findings) {
	entries, err := fs.ReadDir(f.root.FS(), box)
	if err != nil {
		return // it went away
	}
	for _, entry := range entries {
		stem, isNote := strings.CutSuffix(entry.Name(), ".txt")
		info, err := entry.Info()
		if !isNote || err != nil || info.ModTime().Before(r.From.Add(-clocksDiffer)) {
			continue
		}
		name := box + "/" + stem
		if !f.leftBy(name+".txt", r) {
			continue
		}
		if there, ok := open.like(bridge.PlaceVoicemail, name); ok {
			found.add(bridge.RecordingFile{Place: bridge.PlaceVoicemail, Name: there})
		}
	}
}

// leftBy tells whether a message is that of its channel still, as far as a text beside it
// says whose it is.
func (f folders) leftBy(job bridge.RecordingJob) bool {
	folder := f.by[job.File.Place]
	if folder == nil {
		return true
	}
	note := strings.TrimSuffix(job.File.Name, path.Ext(job.File.Name)) + ".txt"
	return !folder.there(note) || folder.leftBy(note, &job.Recorded)
}

// leftBy reads the text beside a message: which channel left it, and when.
func (f *Folder) leftBy(note string, r *bridge.Recorded) bool {
	file, err := f.Open(note)
	if err != nil {
		return false
	}
	defer file.Close()
	var channel string
	var at time.Time
	lines := bufio.NewScanner(io.LimitReader(file, largestNote))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		switch key {
		case "callerchan":
			channel = value
		case "origtime":
			if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
				at = time.Unix(seconds, 0)
			}
		}
	}
	// Names of channels repeat after a restart of the switch.
	return channel == r.Name && !at.Before(r.From.Add(-clocksDiffer)) && !at.After(r.To.Add(clocksDiffer))
}
