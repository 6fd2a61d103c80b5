package main

import (
	"fmt"
	"strings"
	"time"

	"kontur-ari/bridge"
	"kontur-ari/bridge/store"
	"kontur-ari/cmd/kontur-ari/internal/casebook"
)

// stateText is the state of a report, with its time.
func stateText(report store.ReportView) string {
	settled := report.Settled.Format(time.DateTime)
	switch report.State {
	case store.ReportDead:
		return "refused for good at " + settled
	case store.ReportDelivered:
		return "taken by the CRM at " + settled
	case store.ReportLeftOut:
		return "left out at " + settled + ": its call was over before the CRM could be told"
	}
	return "it waits, " + attemptsText(report)
}

// attemptsText says how often a waiting report was tried, and why it still waits.
func attemptsText(report store.ReportView) string {
	switch {
	case report.Returned:
		return "put back to be tried again"
	case report.Attempts == 0:
		return "not tried yet"
	}
	return fmt.Sprintf("tried %s: %s", counted(report.Attempts, "time"), casebook.OneLine(report.Reason))
}

// outcomeText is the state of a report in a list of its call.
func outcomeText(report store.ReportView) string {
	switch report.State {
	case store.ReportDead:
		return "dead letter: " + orDash(casebook.OneLine(report.Reason))
	case store.ReportWaiting:
		return "waits, " + attemptsText(report)
	}
	return string(report.State)
}

// requestText names the request of a report, with the event of a call-event.
func requestText(report store.ReportView) string {
	if report.Kind == bridge.ReportEvent && report.Event != "" {
		return fmt.Sprintf("%s %s", report.Kind, report.Event)
	}
	return string(report.Kind)
}

// statusText is the HTTP status of the last attempt; "-" without an answer.
func statusText(report store.ReportView) string {
	if report.Status == 0 {
		return "-"
	}
	return fmt.Sprint(report.Status)
}

// reasonText is why a report was refused, without the status, which has its own column.
func reasonText(report store.ReportView) string {
	text := casebook.OneLine(report.Reason)
	if rest, found := strings.CutPrefix(text, fmt.Sprintf("HTTP %d", report.Status)); found {
		text = strings.TrimLeft(rest, ": ")
	}
	return orDash(text)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// counted is a number with its noun in singular or plural.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
