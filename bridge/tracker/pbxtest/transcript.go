package pbxtest

import (
	"fmt"
	"strings"
	"time"

	"kontur-ari/bridge"
)

// Transcript returns reports as lines, with seconds since start:
//
//	0.000 A started inbound 79997775533 79229929292
//	0.500 A B appeared client>user:u101
//	9.000 A CALL-FINISHED
//	9.000 A REGISTER B client>user:u101 4.000..9.000
func Transcript(reports []bridge.Report, start time.Time) []string {
	lines := make([]string, 0, len(reports))
	for _, r := range reports {
		lines = append(lines, Line(r, start))
	}
	return lines
}

// Line returns one report as a line of a Transcript.
func Line(r bridge.Report, start time.Time) string {
	line := Seconds(r.Time, start) + " " + string(r.Call) + " "
	switch r.Kind {
	case bridge.ReportStarted:
		line += fmt.Sprintf("started %s %s %s", r.Direction, orDash(r.ClientPhone), orDash(r.VatsPhone))
	case bridge.ReportEvent:
		line += fmt.Sprintf("%s %s %s>%s", r.Leg, r.Event, party(*r.From), party(*r.To))
	case bridge.ReportFinished:
		line += "CALL-FINISHED"
	case bridge.ReportFailed:
		line += "CALL-FAILED " + r.CommunicationID
	case bridge.ReportRegister:
		items := make([]string, 0, len(r.Items))
		for _, item := range r.Items {
			began := "never"
			if !item.StartedAt.IsZero() {
				began = Seconds(item.StartedAt, start)
			}
			items = append(items, fmt.Sprintf("%s %s>%s %s..%s", item.ID, party(item.From), party(item.To), began, Seconds(item.FinishedAt, start)))
		}
		line += "REGISTER " + strings.Join(items, ", ")
	default:
		line += string(r.Kind)
	}
	return line
}

// Seconds returns a time as seconds since start, with three decimals.
func Seconds(at, start time.Time) string {
	return fmt.Sprintf("%.3f", float64(at.Sub(start).Milliseconds())/1000)
}

func party(p bridge.Party) string {
	if p.UserID == "" {
		return string(p.Type)
	}
	return string(p.Type) + ":" + p.UserID
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
