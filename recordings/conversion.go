package recordings

import (
	"errors"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// Conversion is how recordings are made smaller. The zero Conversion converts nothing.
type Conversion struct {
	// Program is the path of ffmpeg or lame ([FindConverter]); "" for none.
	Program string
	// TimeLimit bounds one conversion.
	TimeLimit time.Duration
	// Always converts every recording, not only those that the CRM finds too large.
	Always bool
}

// converters are the known programs, the better one first: lame reads only WAVE.
var converters = []string{"ffmpeg", "lame"}

// FindConverter returns the path of an installed program for [Conversion.Program], or an
// error where there is none.
func FindConverter() (string, error) {
	for _, name := range converters {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("neither ffmpeg nor lame is installed")
}

// bitRate is the bit rate of an MP3, in thousand bits per second. Speech of 8,000 samples
// per second stays as clear at usualRate; at lowRate it can still be understood.
type bitRate int

const (
	usualRate bitRate = 32
	lowRate   bitRate = 16
	// asItIs stands for no conversion.
	asItIs bitRate = -1
)

// largestFile is the largest file that the CRM takes (platform: API Files). Larger ones are
// converted before the first attempt.
const largestFile = 100 << 20

// demuxers are the input formats of ffmpeg by file ending. ffmpeg must not guess the format:
// some formats make it read other files and addresses.
var demuxers = map[string][]string{
	".wav": {"wav"}, ".WAV": {"wav"}, ".wav49": {"wav"}, ".wav16": {"wav"}, ".flac": {"flac"}, ".gsm": {"gsm"}, ".g722": {"g722"},
	".sln": {"s16le", "-ar", "8000"}, ".sln16": {"s16le", "-ar", "16000"}, ".alaw": {"alaw", "-ar", "8000"}, ".ulaw": {"mulaw", "-ar", "8000"},
}

// command returns the arguments with which the program reads a recording from its standard
// input and writes MP3 to its standard output; false where it can't read that ending.
func (c Conversion) command(ending string, rate bitRate) ([]string, bool) {
	kilobits := strconv.Itoa(int(rate))
	demuxer, known := demuxers[ending]
	switch {
	case c.Program == "" || !known:
		return nil, false
	case filepath.Base(c.Program) == "lame":
		return []string{"--quiet", "-b", kilobits, "-", "-"}, demuxer[0] == "wav"
	}
	arguments := append([]string{"-nostdin", "-hide_banner", "-loglevel", "error", "-f"}, demuxer...)
	return append(arguments, "-protocol_whitelist", "pipe", "-i", "pipe:0",
		"-vn", "-map_metadata", "-1", "-codec:a", "libmp3lame", "-b:a", kilobits+"k", "-write_xing", "0", "-f", "mp3", "pipe:1"), true
}
