package configs

import (
	"testing"

	"pgregory.net/rapid"
)

func TestSizesAreReadBackAsPrinted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := Size(rapid.Int64Min(0).Draw(t, "size"))
		if got, err := ParseSize(size.String()); err != nil || got != size {
			t.Fatalf("ParseSize(%q) = %d, %v; want %d", size.String(), got, err, size)
		}
	})
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]Size{
		"0B": 0, "1B": 1, "5KB": 5000, "5kB": 5000, "5KiB": 5120, "2MB": 2e6, "2MiB": 2 << 20, "1 GiB": 1 << 30, "3GB": 3e9, "1TiB": 1 << 40, "1TB": 1e12,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1", "GiB", "1.5GiB", "1gib", "1G", "-1B", "1GiBs", "8388608TiB", "99999999999999999999B"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("ParseSize(%q) = %d, want an error", text, got)
		}
	}
}

func TestPatternsMatchWholeTexts(t *testing.T) {
	for _, test := range []struct {
		source, text string
		want         bool
	}{
		{`^\d{2,5}$`, "101", true},
		{`\d{2,5}`, "101", true},
		{`\d{2,5}`, "79991112233", false},
		{`7|79`, "79", true},
		{`^7`, "79", false},
		{`(?m)^7$`, "7\n8", false},
		{``, "", true},
	} {
		p := MustPattern(test.source)
		if got := p.Match(test.text); got != test.want || p.Regexp().MatchString(test.text) != test.want {
			t.Errorf("%q matches %q: %v, want %v", test.source, test.text, got, test.want)
		}
	}
	if (Pattern{}).Match("") || (Pattern{}).Regexp() != nil {
		t.Error("the zero pattern matches something")
	}
	for _, source := range []string{`(`, `a)(b`, `\Qa`, `(?=a)`} {
		if _, err := ParsePattern(source); err == nil {
			t.Errorf("ParsePattern(%q) found nothing wrong", source)
		}
	}
}

func TestLimitsAreReadable(t *testing.T) {
	for key, limit := range ranges {
		if least, most := numberOf(limit.least), numberOf(limit.most); least < 0 || least == 0 && limit.least != "0B" || most <= least {
			t.Errorf("%s: from %d to %d", key, least, most)
		}
	}
}
