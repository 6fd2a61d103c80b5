package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// column describes a column of a printed table.
type column struct {
	// title stands above the column. A table whose first title is "" has no header.
	title string
	// width is the least width in terminal cells. A longer value widens the column.
	width int
	right bool
}

// The columns of reports that several commands share.
var (
	idColumn      = column{title: "id", width: 7, right: true}
	timeColumn    = column{title: "time", width: len(time.DateTime)}
	callColumn    = column{title: "call", width: 24}
	requestColumn = column{title: "request", width: 23}
	statusColumn  = column{title: "HTTP", width: 4, right: true}
)

// untitled returns columns without their titles.
func untitled(columns ...column) []column {
	for i := range columns {
		columns[i].title = ""
	}
	return columns
}

// columns is a table of text with two spaces between its columns. Its least widths
// keep the columns of commands that are run one after another in place.
type columns struct {
	writer table.Writer
}

func newColumns(described ...column) *columns {
	writer := table.NewWriter()
	writer.SetStyle(table.Style{
		Box:     table.BoxStyle{PaddingRight: "  "},
		Options: table.OptionsNoBordersAndSeparators,
	})
	writer.SuppressTrailingSpaces()
	header := make(table.Row, len(described))
	configs := make([]table.ColumnConfig, len(described))
	for i, c := range described {
		align := text.AlignLeft
		if c.right {
			align = text.AlignRight
		}
		header[i] = c.title
		configs[i] = table.ColumnConfig{Number: i + 1, Align: align, AlignHeader: align, WidthMin: c.width}
	}
	writer.SetColumnConfigs(configs)
	if header[0] != "" {
		writer.AppendHeader(header)
	}
	return &columns{writer}
}

// add appends a row. Characters that can't be printed are left out: a line break
// would tear the row, and an escape sequence would steer the terminal.
func (c *columns) add(cells ...any) {
	row := make(table.Row, len(cells))
	for i, cell := range cells {
		row[i] = strings.Map(func(r rune) rune {
			if unicode.IsPrint(r) {
				return r
			}
			return -1
		}, fmt.Sprint(cell))
	}
	c.writer.AppendRow(row)
}

// print writes the table. It writes nothing, not even a header, where there are no
// rows.
func (c *columns) print(out io.Writer) error {
	if c.writer.Length() == 0 {
		return nil
	}
	_, err := io.WriteString(out, c.writer.Render()+"\n")
	return err
}
