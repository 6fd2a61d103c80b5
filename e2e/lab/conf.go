package lab

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

//go:embed conf/*.conf
var confFiles embed.FS

var confTemplates = template.Must(template.ParseFS(confFiles, "conf/*.conf"))

// settings is what the templates in conf/ are filled with.
type settings struct {
	Dir, Modules       string
	SIPPort, HTTPPort  int
	SilentPort         int
	Username, Password string
	PhonePassword      string
	ChannelVars        string
	Phones             []string
	Trunks             []trunkSettings
}

type trunkSettings struct{ Name, Address, Host string }

// writeConf fills every template into the directory.
func writeConf(directory string, values settings) error {
	for _, t := range confTemplates.Templates() {
		file, err := os.Create(filepath.Join(directory, t.Name()))
		if err != nil {
			return fmt.Errorf("write the configuration: %w", err)
		}
		if err := t.Execute(file, values); err != nil {
			return fmt.Errorf("write %s: %w", t.Name(), err)
		}
		if err := file.Close(); err != nil {
			return fmt.Errorf("write %s: %w", t.Name(), err)
		}
	}
	return nil
}
