package bridge

import "time"

// Recorded is a channel that is gone and of which there may be recordings, and whose
// they are. Its JSON form is what the store keeps, so a change to it needs a schema
// migration.
type Recorded struct {
	// Call and Leg are what a recording of the channel belongs to: the leg that was
	// connected first with the channel. Where nobody talked to it, the call's last leg,
	// or the id of a call without any.
	Call CallID `json:"call"`
	Leg  LegID  `json:"leg"`
	// Since is when that leg was connected to the channel; zero where nobody was.
	Since time.Time `json:"since,omitzero"`
	// Channel and Name are the channel's id and name.
	Channel ChannelID `json:"channel"`
	Name    string    `json:"name"`
	// From and To are how long the channel lived at most, on the switch's clock.
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	// Files are the names of recordings that its variables have shown, Messages those of
	// messages that were left, in order: see [Channel].
	Files    []string `json:"files,omitempty"`
	Messages []string `json:"messages,omitempty"`
	// Stored are recordings that the switch keeps; where there are any, nothing else is to
	// be looked for. Made: they were made for us, and nobody else wants them.
	Stored []StoredFile `json:"stored,omitempty"`
	Made   bool         `json:"made,omitempty"`
}

// Talked tells whether somebody was connected to the channel. Where nobody was, only a
// message that was left is a recording: any other is of a telephone that rings.
func (r *Recorded) Talked() bool { return !r.Since.IsZero() }

// StoredFile is a recording that the switch keeps and gives out by its name.
type StoredFile struct {
	Name string `json:"name"`
	// Format is the ending of the file: "wav".
	Format string `json:"format"`
}

// FinishedRecording is what the switch tells of a recording that was made over its
// interface and is whole.
type FinishedRecording struct {
	StoredFile
	// Channel or Room is what was recorded; the other is "".
	Channel ChannelID
	Bridge  string
}
