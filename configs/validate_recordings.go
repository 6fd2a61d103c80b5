package configs

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Words of recordings.keep.
const (
	keepForever = "forever"
	keepNot     = "delete"
)

// KeepFor is how long a recording stays once the CRM has it; negative: for good.
func (r Recordings) KeepFor() time.Duration {
	switch r.Keep {
	case keepForever:
		return -1
	case keepNot:
		return 0
	}
	kept, err := time.ParseDuration(r.Keep)
	if err != nil {
		return -1 // Load takes no other
	}
	return kept
}

// namePart is what a name of recordings.names is made of, placeholders aside.
var (
	namePart   = regexp.MustCompile(`^[^/\x00?\[\]\\{}]+(/[^/\x00?\[\]\\{}]+)*$`)
	nameHolder = regexp.MustCompile(`\{(uniqueid|linkedid|year|month|day)\}`)
)

func validateRecordings(r *report, cfg Recordings) {
	validatePath(r, "recordings.directory", cfg.Directory)
	validateFile(r, "recordings.directory_in_asterisk", cfg.DirectoryInAsterisk)
	validateFile(r, "recordings.voicemail_directory", cfg.VoicemailDirectory)
	validateFile(r, "recordings.voicemail_directory_in_asterisk", cfg.VoicemailDirectoryInAsterisk)
	for i, name := range cfg.Names {
		key := fmt.Sprintf("recordings.names[%d]", i)
		plain := nameHolder.ReplaceAllString(name, "x")
		switch {
		case !namePart.MatchString(plain) || hasDots(plain):
			r.problem(key, "not a name below recordings.directory; write a path without a slash at its ends, with * and the placeholders {uniqueid}, {linkedid}, {year}, {month}, {day}, such as {year}/{month}/{day}/*-{uniqueid}.*")
		case !strings.Contains(name, "{uniqueid}") && !strings.Contains(name, "{linkedid}"):
			r.problem(key, "it can't be told whose a file of that name is; write {uniqueid} or {linkedid} where the dialplan puts that, such as *-{uniqueid}.*")
		}
	}
	if cfg.UploadRate > 0 && cfg.UploadRate < leastRate && !r.isBad("recordings.upload_rate") {
		r.problem("recordings.upload_rate", "too slow for an upload not to be taken for stalled; write 0B for no limit, or at least 64KiB")
	}
	_, err := time.ParseDuration(cfg.Keep)
	tooLong := err != nil && cfg.Keep != keepForever && cfg.Keep != keepNot || cfg.KeepFor() > longestKept
	if tooLong && !r.isBad("recordings.keep") {
		r.problem("recordings.keep", "out of range; write forever, delete, or a time up to %s", "8760h")
	}
}

// leastRate is the slowest that uploads may go together.
const leastRate Size = 64 << 10

const longestKept = 8760 * time.Hour

// hasDots returns whether a part of a path is . or .., which lead elsewhere.
func hasDots(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if part == "." || part == ".." {
			return true
		}
	}
	return false
}
