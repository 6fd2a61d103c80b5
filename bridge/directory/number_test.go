package directory_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kontur-ari/bridge/directory"
)

func russianNumbers(t testing.TB) *directory.Numbers {
	t.Helper()
	numbers, err := directory.NewNumbers("RU", regexp.MustCompile(`^\d{2,5}$`), "anonymous")
	if err != nil {
		t.Fatal(err)
	}
	return numbers
}

func TestNormalise(t *testing.T) {
	numbers := russianNumbers(t)
	for _, test := range []struct{ raw, want string }{
		// One number in every form that Russian trunks and phones use.
		{"8 (999) 777-55-33", "79997775533"},
		{"+7(999)777-55-33", "79997775533"},
		{"+7 (999) 777-55-33", "79997775533"},
		{"+79997775533", "79997775533"},
		{"79997775533", "79997775533"},
		{"89997775533", "79997775533"},
		{"9997775533", "79997775533"},
		{"8.999.777.55.33", "79997775533"},
		{"8/999/7775533", "79997775533"},
		{"\u00a08\u00a0999\u00a07775533 ", "79997775533"},
		{"+7\u00a0999\u00a0777-55-33", "79997775533"},
		{"81079997775533", "79997775533"},
		{"0079997775533", "79997775533"},
		// Germany has some that are longer than E.164 allows.
		{"4920100000000000", ""},

		{"sip:+79997775533@pbx.example;user=phone", "79997775533"},
		{"SIP:89997775533@192.0.2.1:5060", "79997775533"},
		{"sips:79997775533@host", "79997775533"},
		{"tel:+7-999-777-55-33", "79997775533"},
		{"tel:+79997775533;phone-context=example.com", "79997775533"},
		{"79997775533@trunk", "79997775533"},

		{"8 800 555-35-35", "78005553535"},
		{"+7 343 200-00-00", "73432000000"},
		{"+7 701 123 45 67", "77011234567"},
		{"87011234567", "77011234567"},

		// Abroad: with a plus, without one, and as dialled from Russia or Europe.
		{"+44 20 7946 0958", "442079460958"},
		{"442079460958", "442079460958"},
		{"810 44 20 7946 0958", "442079460958"},
		{"0044 20 7946 0958", "442079460958"},
		{"+375291234567", "375291234567"},
		{"375291234567", "375291234567"},
		{"+998901234567", "998901234567"},
		{"+1 (212) 555-2368", "12125552368"},
		{"+4721234567", "4721234567"},
		// Without its plus a foreign number of ten digits reads as a Russian one.
		{"4721234567", "74721234567"},

		// Short numbers stay as they are.
		{"101", "101"},
		{" 101 ", "101"},
		{"112", "112"},
		{"sip:101@pbx", "101"},
		{"+101", "101"},
		{"0911", "0911"},

		// Numbers that no country knows keep their digits.
		{"1234567", "1234567"},
		{"123456789012345", "123456789012345"},

		{"", ""},
		{" ", ""},
		{"+", ""},
		{"++79997775533", ""},
		{"-", ""},
		{"s", ""},
		{"h", ""},
		{"*8", ""},
		{"*99", ""},
		{"anonymous", ""},
		{"Anonymous", ""},
		{"unknown", ""},
		{"Restricted", ""},
		{"sip.user", ""},
		{"sip:anonymous@anonymous.invalid", ""},
		{"sip:", ""},
		{"tel:", ""},
		{"@host", ""},
		{";user=phone", ""},
		{"<unknown>", ""},
		{"8999777553x", ""},
		{"8 999 777 55 33, 15", ""},
		{"٠١٢٣٤٥٦٧٨٩", ""},
		{"７９９９７７７５５３３", ""},
		{"8\x009997775533", ""},
		{"\xff\xfe", ""},
		{strings.Repeat("7", 16), ""},
		{strings.Repeat("7", 100), ""},
		{strings.Repeat("9", 1000), ""},
		{"+" + strings.Repeat("0", 100), ""},
		{strings.Repeat("x", 100), ""},
	} {
		if got := numbers.Normalise(test.raw); got != test.want {
			t.Errorf("Normalise(%q) = %q, want %q", test.raw, got, test.want)
		}
		client := test.want
		if client == "" {
			client = "anonymous"
		}
		if got := numbers.Client(test.raw); got != client {
			t.Errorf("Client(%q) = %q, want %q", test.raw, got, client)
		}
	}
}

func TestNewNumbersNamesAnUnknownRegion(t *testing.T) {
	for _, region := range []string{"", "ru", "RUS", "ZZ", "Россия"} {
		_, err := directory.NewNumbers(region, regexp.MustCompile(`^\d{3}$`), "anonymous")
		if err == nil || !strings.Contains(err.Error(), "write a two-letter country code") {
			t.Errorf("NewNumbers(%q): %v", region, err)
		}
	}
}

func TestInternalNumbersMatchAsAWhole(t *testing.T) {
	for _, test := range []struct {
		pattern, number string
		want            bool
	}{
		{`\d{3}`, "101", true},
		{`\d{3}`, "1011", false},
		{`\d{3}`, "x101", false},
		{`^\d{2,5}$`, "10123", true},
		{`^\d{2,5}$`, "101234", false},
		{`1|101`, "101", true},
		{`(1|10)(1|01)?`, "101", true},
		{`1|101`, "10", false},
		{`^1\d\d$|^2\d\d$`, "201", true},
		{`\d{3}`, "101\n", false},
		{`^\d{3}$`, "", false},
		{`^$`, "", true},
	} {
		numbers, err := directory.NewNumbers("RU", regexp.MustCompile(test.pattern), "anonymous")
		if err != nil {
			t.Fatal(err)
		}
		if got := numbers.IsInternal(test.number); got != test.want {
			t.Errorf("with %q, IsInternal(%q) = %v, want %v", test.pattern, test.number, got, test.want)
		}
	}
}

func TestNormaliseGivesDigitsThatStayTheSame(t *testing.T) {
	numbers := russianNumbers(t)
	written := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`(sip:|tel:|\+|8|7|810|00)?[0-9 ()./-]{0,24}(@[a-z]{1,5})?`),
		rapid.StringMatching(`(\+7|8|7)? ?\(?[3489][0-9]{2}\)? ?[0-9]{3}-?[0-9]{2}-?[0-9]{2}`),
		rapid.StringMatching(`\+(1|44|49|375|380|998|86)[0-9]{6,12}`),
	)
	rapid.Check(t, func(t *rapid.T) {
		raw := written.Draw(t, "raw")
		number := numbers.Normalise(raw)
		if len(number) > 15 || strings.Trim(number, "0123456789") != "" {
			t.Fatalf("Normalise(%q) = %q is no number", raw, number)
		}
		// With its plus a number has one reading. Without it, one of ten digits
		// may be read again, as a subscriber's number of the region.
		if strings.HasPrefix(number, "7") && len(number) == 11 {
			if again := numbers.Normalise(number); again != number {
				t.Fatalf("Normalise(%q) = %q, and of that %q", raw, number, again)
			}
		}
		if number != "" && !strings.HasPrefix(number, "0") {
			if again := numbers.Normalise("+" + number); again != number {
				t.Fatalf("Normalise(%q) = %q, but with a plus %q", raw, number, again)
			}
		}
	})
}

func TestEveryWritingOfARussianNumberIsOneNumber(t *testing.T) {
	numbers := russianNumbers(t)
	rapid.Check(t, func(t *rapid.T) {
		subscriber := rapid.StringMatching(`9[0-9]{9}`).Draw(t, "subscriber")
		prefix := rapid.SampledFrom([]string{"+7", "8", "7", ""}).Draw(t, "prefix")
		want := "7" + subscriber
		if numbers.Normalise("+"+want) != want {
			return // The country has no such number.
		}
		var written strings.Builder
		written.WriteString(prefix)
		for _, digit := range subscriber {
			written.WriteString(rapid.SampledFrom([]string{"", "", " ", "-", "(", ")", "."}).Draw(t, "separator"))
			written.WriteRune(digit)
		}
		if got := numbers.Normalise(written.String()); got != want {
			t.Fatalf("Normalise(%q) = %q, want %q", written.String(), got, want)
		}
	})
}

func TestANumberIsTheSameWhenItIsRemembered(t *testing.T) {
	numbers := russianNumbers(t)
	long := "8 (999) 777-55-33" + strings.Repeat(" ", 100)
	for range 3 {
		for raw, want := range map[string]string{"8 (999) 777-55-33": "79997775533", "+7 999 777-55-33": "79997775533", "anonymous": "", long: "79997775533", "101": "101"} {
			if got := numbers.Normalise(raw); got != want {
				t.Errorf("%q is %q, want %q", raw, got, want)
			}
		}
	}
	for n := range 1000 {
		if got, want := numbers.Normalise(fmt.Sprintf("8999%07d", n)), fmt.Sprintf("7999%07d", n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// What a person types is a number with the separators that people write, and nothing else.
func TestTyped(t *testing.T) {
	numbers, err := directory.NewNumbers("RU", regexp.MustCompile(`^\d{2,5}$`), "anonymous")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"79997775533": "79997775533", "+7 (999) 777-55-33": "79997775533", "8.999.777.55.33": "79997775533",
		" 8\u00a0999 777 55 33 ": "79997775533", "101": "101",
		"": "", "+": "", "79997775533@x": "", "sip:79997775533": "", "sip:79997775533@x": "", "tel:+79997775533": "",
		"79997775533;ext=5": "", "79997775533 ext. 5": "", "79997775533/1": "", "+7+9997775533": "", "7999777553x": "", "*72": "",
	} {
		if got := numbers.Typed(text); got != want {
			t.Errorf("Typed(%q) = %q, want %q", text, got, want)
		}
	}
}
