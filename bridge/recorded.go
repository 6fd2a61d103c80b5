package bridge

import "time"

// Recorded is a channel that is gone, and the leg that its recordings belong to. The store
// keeps its JSON form, so a change to it needs a schema migration.
type Recorded struct {
	// Call and Leg are the owners of the recordings: the leg that was connected to the
	// channel first. For a channel that was never connected, Leg is the call's last leg,
	// or the id of a call without legs.
	Call CallID `json:"call"`
	Leg  LegID  `json:"leg"`
	// Since is when that leg was connected to the channel; zero if none was.
	Since time.Time `json:"since,omitzero"`
	// Channel and Name are the channel's id and name.
	Channel ChannelID `json:"channel"`
	Name    string    `json:"name"`
	// From and To bound the channel's life, on the exchange's clock.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Files and Messages are the names that the channel's variables have shown, in order:
	// see [Channel].
	Files    []string `json:"files,omitempty"`
	Messages []string `json:"messages,omitempty"`
	// Stored are recordings that the exchange keeps. If there are any, no other recording
	// is looked for. Own: they are our own recordings, so they may be deleted.
	Stored []StoredFile `json:"stored,omitempty"`
	Own    bool         `json:"made,omitempty"`
}

// Talked reports whether a leg was connected to the channel. If none was, only a voicemail
// message is worth keeping: any other recording is of a ringing telephone.
func (r *Recorded) Talked() bool { return !r.Since.IsZero() }

// StoredFile is a recording that the exchange keeps and serves by its name (ARI, stored
// recordings).
type StoredFile struct {
	Name string `json:"name"`
	// Format is the ending of the file: "wav".
	Format string `json:"format"`
}

// FinishedRecording is a recording that was made over ARI and is complete.
type FinishedRecording struct {
	StoredFile
	// Channel or Bridge is what was recorded; the other is "".
	Channel ChannelID
	Bridge  string
}
