package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// figure is one line of the table.
type figure struct {
	name                       string
	measured, yardstick, ratio string
	aim                        string
	// met is whether the aim was reached. A line with the aim "" is only for comparison.
	met bool
}

func (f figure) cells() []string {
	verdict := "no"
	switch {
	case f.aim == "":
		verdict = ""
	case f.met:
		verdict = "yes"
	}
	return []string{f.name, f.measured, f.yardstick, f.ratio, f.aim, verdict}
}

var heads = []string{"figure", "measured", "yardstick", "ratio", "aim", "met"}

// printTable writes figures for people at a terminal.
func printTable(to io.Writer, figures []figure) error {
	table := tabwriter.NewWriter(to, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join(heads, "\t"))
	for _, f := range figures {
		fmt.Fprintln(table, strings.Join(f.cells(), "\t"))
	}
	return table.Flush()
}

// markdown returns the same table for the page.
func markdown(figures []figure) string {
	var text strings.Builder
	fmt.Fprintf(&text, "| %s |\n|%s\n", strings.Join(heads, " | "), strings.Repeat(" --- |", len(heads)))
	for _, f := range figures {
		fmt.Fprintf(&text, "| %s |\n", strings.Join(f.cells(), " | "))
	}
	return text.String()
}

// rateFigure compares two rates.
func rateFigure(name string, p pairs, aim float64, what string) figure {
	middle, least, greatest := p.ratio()
	f := figure{
		name: name, measured: fmt.Sprintf("%.0f/s", median(p.subject)), yardstick: fmt.Sprintf("%s %.0f/s", what, median(p.yardstick)),
		ratio: fmt.Sprintf("%.2f (%.2f to %.2f)", middle, least, greatest),
	}
	if aim > 0 {
		f.aim, f.met = fmt.Sprintf("≥ %g", aim), middle >= aim
	}
	return f
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond))
}

func microseconds(d time.Duration) string { return fmt.Sprintf("%d µs", d.Microseconds()) }

func megabytes(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }
