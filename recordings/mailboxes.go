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

// mailboxes are the directories in which app_voicemail keeps messages (Asterisk 22, file
// storage): CONTEXT/MAILBOX/FOLDER. A text file lies beside the sound of each message.
// Asterisk moves a message to another folder once it was heard.
var mailboxes = []string{"*/*/*"}

const (
	// clocksDiffer is by how much the times of events and of files may differ. Both come
	// from this machine's clock, but are rounded differently.
	clocksDiffer = 2 * time.Second
	// largestNote bounds how many bytes of the text beside a message are read.
	largestNote = 64 << 10
)

// findMessages adds the messages that a channel has left in mailboxes. The text beside a
// message names the channel.
func (c *Courier) findMessages(roots fileRoots, r *bridge.Recorded, found *findings) {
	root := roots.by[bridge.PlaceVoicemail]
	if root == nil || r.Name == "" {
		return
	}
	for _, pattern := range mailboxes {
		boxes, err := fs.Glob(root.root.FS(), pattern)
		if err != nil {
			c.troubles.mailboxes.Failed(pattern, err.Error(), zap.String("pattern", pattern))
		} else {
			c.troubles.mailboxes.Over(pattern)
		}
		for _, box := range boxes {
			// A new message changes the time of its folder.
			if info, err := root.root.Stat(box); err == nil && !info.ModTime().Before(r.From.Add(-clocksDiffer)) {
				root.messagesOf(box, r, roots, found)
			}
		}
	}
}

// messagesOf adds the messages of a channel in one folder.
func (f *fileRoot) messagesOf(box string, r *bridge.Recorded, roots fileRoots, found *findings) {
	entries, err := fs.ReadDir(f.root.FS(), box)
	if err != nil {
		return // the folder was removed
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
		if there, ok := roots.like(bridge.PlaceVoicemail, name); ok {
			found.add(bridge.RecordingFile{Place: bridge.PlaceVoicemail, Name: there})
		}
	}
}

// leftBy reports whether a message still is that of its job's channel. It assumes so where
// there is no text beside the message.
func (f fileRoots) leftBy(job bridge.RecordingJob) bool {
	root := f.by[job.File.Place]
	if root == nil {
		return true
	}
	note := strings.TrimSuffix(job.File.Name, path.Ext(job.File.Name)) + ".txt"
	return !root.there(note) || root.leftBy(note, &job.Recorded)
}

// leftBy reports whether the text beside a message names the channel, and a time within its
// life.
func (f *fileRoot) leftBy(note string, r *bridge.Recorded) bool {
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
	// Channel names repeat after a restart of Asterisk, so the time must fit as well.
	return channel == r.Name && !at.Before(r.From.Add(-clocksDiffer)) && !at.After(r.To.Add(clocksDiffer))
}
