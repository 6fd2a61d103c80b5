package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the import path that all packages of ours begin with.
const module = "kontur-ari/"

// mayImport says which packages of ours the code of a package may import; its
// tests may import more. A package that is not listed may import nothing of ours.
// Any package may import those of internal, which import none of ours.
var mayImport = map[string][]string{
	"ari":                 {"bridge"},
	"ari/aritest":         {"bridge"},
	"bridge/commander":    {"bridge", "bridge/directory", "bridge/tracker"},
	"bridge/delivery":     {"bridge"},
	"bridge/directory":    {"bridge"},
	"bridge/intake":       {"bridge", "bridge/tracker"},
	"bridge/redirect":     {"bridge", "bridge/directory"},
	"bridge/store":        {"bridge", "bridge/store/rescue", "bridge/store/sqlite"},
	"bridge/store/rescue": {"bridge/store/sqlite"},
	"bridge/tracker":      {"bridge", "bridge/directory"},
	// No list names the model of an exchange, so only tests may import it.
	"bridge/tracker/pbxtest": {"bridge", "bridge/directory"},
	"cmd/kontur-ari":         {"bridge", "bridge/store", "bridge/tracker", "cmd/kontur-ari/internal/casebook", "cmd/kontur-ari/internal/daemon", "cmd/kontur-ari/internal/setup", "configs", "crm"},
	"cmd/kontur-ari/internal/casebook": {
		"ari", "bridge", "bridge/store", "bridge/tracker",
	},
	"cmd/kontur-ari/internal/daemon": {
		"ari", "bridge", "bridge/commander", "bridge/delivery", "bridge/directory", "bridge/intake", "bridge/redirect", "bridge/store",
		"cmd/kontur-ari/internal/setup", "configs", "crm", "crm/server", "recordings",
	},
	"cmd/kontur-ari/internal/setup": {"bridge", "bridge/directory", "bridge/store", "bridge/tracker", "configs", "crm"},
	"crm":                           {"bridge"},
	"crm/crmtest":                   {"bridge"},
	"crm/server":                    {"bridge"},
	"recordings":                    {"bridge"},
}

// onlyImporter names libraries that one package alone may import, with those inside it.
var onlyImporter = map[string]string{
	"github.com/CyCoreSystems/": "ari",
	"zombiezen.com/go/sqlite":   "bridge/store/sqlite",
	"github.com/spf13/viper":    "configs",
}

func TestImportsPointOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatalf("listing the packages: %v", err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(lines) < len(mayImport)/2 {
		t.Fatalf("only %d packages listed", len(lines))
	}
	for _, line := range lines {
		imports := strings.Fields(line)
		from := strings.TrimPrefix(imports[0], module)
		if from == "bench" || from == "e2e" || strings.HasPrefix(from, "e2e/") {
			continue // they drive everything
		}
		for _, imported := range imports[1:] {
			if ours, ok := strings.CutPrefix(imported, module); ok && !strings.HasPrefix(ours, "internal/") && !slices.Contains(mayImport[from], ours) {
				t.Errorf("%s imports %s", from, ours)
			}
			for library, only := range onlyImporter {
				if strings.HasPrefix(imported, library) && from != only && !strings.HasPrefix(from, only+"/") {
					t.Errorf("%s imports %s, which only %s may", from, imported, only)
				}
			}
		}
	}
}
