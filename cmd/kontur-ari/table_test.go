package main

import (
	"strings"
	"testing"
)

func TestColumnsStandBelowEachOtherWhateverTheAlphabet(t *testing.T) {
	table := newColumns(column{title: "id", width: 4, right: true}, column{title: "file", width: 8}, column{title: "reason"})
	table.add(1, "звонок.wav", "нет такого файла")
	table.add(12345, "и\u0306.wav", "-")
	table.add(3, "a\n\x1b[2Jb", "a reason without an end …")
	want := `   id  file        reason
    1  звонок.wav  нет такого файла
12345  и` + "\u0306" + `.wav       -
    3  a[2Jb       a reason without an end …
`
	var got strings.Builder
	if err := table.print(&got); err != nil || got.String() != want {
		t.Errorf("error %v, printed:\n%swant:\n%s", err, got.String(), want)
	}
}

func TestATableWithoutRowsPrintsNothing(t *testing.T) {
	var got strings.Builder
	if err := newColumns(idColumn, callColumn).print(&got); err != nil || got.String() != "" {
		t.Errorf("error %v, printed %q", err, got.String())
	}
}
