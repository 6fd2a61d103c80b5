package setup_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"

	"kontur-ari/bridge"
	"kontur-ari/cmd/kontur-ari/internal/setup"
	"kontur-ari/configs"
	"kontur-ari/crm/crmtest"
	"kontur-ari/internal/secret"
)

// crmServer is a CRM that keeps the headers of the requests, too.
type crmServer struct {
	*crmtest.CRM
	url string

	mu      sync.Mutex
	headers []http.Header
}

func serveCRM(t *testing.T, options crmtest.Options) *crmServer {
	t.Helper()
	options.APIKey, options.IntegrationSecret = apiKey, integrationSecret
	s := &crmServer{CRM: crmtest.New(options)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.headers = append(s.headers, r.Header.Clone())
		s.mu.Unlock()
		s.ServeHTTP(w, r)
	}))
	s.url = server.URL
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return s
}

func (s *crmServer) received() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.headers)
}

// send has the client of a configuration send the beginning of a call, and returns how that
// ended and all that was logged.
func send(t *testing.T, cfg configs.Config) (result bridge.Result, logged string) {
	t.Helper()
	var out bytes.Buffer
	client, err := setup.Client(cfg, "1.2.3", logger(t, "debug", "json", &out))
	if err != nil {
		t.Fatal(err)
	}
	result = client.Send(t.Context(), bridge.Report{
		Kind: bridge.ReportStarted, Call: "1774175915.7", Time: time.Now(), Direction: bridge.Inbound,
		ClientPhone: "79997775533", VatsPhone: "79229929292",
	}, bridge.Identity{})
	// Nothing is logged after this.
	client.Close()
	return result, out.String()
}

func TestAReportReachesTheWorkspaceWithTheKeysOfTheConfiguration(t *testing.T) {
	for name, test := range map[string]struct {
		shared bool
		want   string
	}{
		"the only exchange of the workspace": {false, "1774175915.7"},
		"one of several":                     {true, "pbx1-1774175915.7"},
	} {
		t.Run(name, func(t *testing.T) {
			server := serveCRM(t, crmtest.Options{Workspace: "second-workspace"})
			cfg := office()
			cfg.Kontur.BaseURL, cfg.Kontur.Workspace, cfg.Kontur.SharedWorkspace = server.url, "second-workspace", test.shared
			result, logged := send(t, cfg)
			if result.Verdict != bridge.Delivered {
				t.Fatalf("the report is not delivered: %+v", result)
			}
			// The CRM refuses a wrong workspace, key or secret.
			if calls := server.Calls(); len(calls) != 1 || calls[0].ID != test.want || len(server.Violations()) > 0 {
				t.Errorf("the calls of the CRM are %+v, want %s; violations %v", calls, test.want, server.Violations())
			}
			headers := server.received()
			if len(headers) != 2 {
				t.Errorf("%d requests, want the authorisation and the report", len(headers))
			}
			for _, header := range headers {
				if got := header.Get("User-Agent"); got != "kontur-ari/1.2.3" {
					t.Errorf("the program calls itself %q", got)
				}
			}
			checkNoSecrets(t, logged)
		})
	}
}

func TestTheInstanceOfTheConfigurationIsAskedFor(t *testing.T) {
	const id = "7a100000-0000-4000-8000-000000000777"
	server := serveCRM(t, crmtest.Options{IntegrationID: id})
	cfg := office()
	cfg.Kontur.BaseURL = server.url
	for _, configured := range []string{id, "another"} {
		cfg.Kontur.IntegrationID = configured
		client, err := setup.Client(cfg, "1", zap.NewNop())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Instance(t.Context()); (err == nil) != (configured == id) {
			t.Errorf("asking for the instance %q: %v", configured, err)
		}
		client.Close()
	}
}

func TestARequestIsGivenUpAfterTheTimeOfTheConfiguration(t *testing.T) {
	server := serveCRM(t, crmtest.Options{})
	server.Fail(crmtest.Rule{Kind: crmtest.KindStarted, Hang: true})
	cfg := office()
	cfg.Kontur.BaseURL, cfg.Kontur.RequestTimeout = server.url, 200*time.Millisecond
	before := time.Now()
	// The client's own limit is 15 s.
	if result, _ := send(t, cfg); result.Verdict != bridge.Retry || time.Since(before) > 10*time.Second {
		t.Errorf("after %v the result is %+v", time.Since(before), result)
	}
}

func TestWhatTheClientLogsBearsItsNameAndNoSecret(t *testing.T) {
	server := serveCRM(t, crmtest.Options{})
	// Some proxies show the request in their error pages.
	server.Fail(crmtest.Rule{Kind: crmtest.KindAuthorize, Status: http.StatusForbidden, Body: "refused: " + apiKey + " " + integrationSecret})
	cfg := office()
	cfg.Kontur.BaseURL = server.url
	result, logged := send(t, cfg)
	if result.Verdict != bridge.Retry || result.Reason == "" {
		t.Errorf("without an access key the result is %+v", result)
	}
	if !strings.Contains(logged, `"logger":"crm"`) {
		t.Errorf("logged is %q", logged)
	}
	checkNoSecrets(t, logged+result.Reason)
}

func TestAClientThatCannotBeMadeSaysWhatIsWrong(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*configs.Kontur)
		want   string
	}{
		"no address":            {func(k *configs.Kontur) { k.BaseURL = "crm.invalid" }, "base URL"},
		"no workspace":          {func(k *configs.Kontur) { k.Workspace = "" }, "workspace"},
		"no key":                {func(k *configs.Kontur) { k.APIKey = secret.String{} }, "API key"},
		"a key of two lines":    {func(k *configs.Kontur) { k.APIKey = secret.New(apiKey + "\n") }, "API key"},
		"a secret of two lines": {func(k *configs.Kontur) { k.IntegrationSecret = secret.New(integrationSecret + "\n") }, "integration secret"},
		"a secret without name": {
			func(k *configs.Kontur) { k.IntegrationSecret = secret.New("the-value-of-the-secret") }, "integration secret",
		},
		"a time below nothing": {func(k *configs.Kontur) { k.RequestTimeout = -1 }, "request timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := office()
			test.change(&cfg.Kontur)
			client, err := setup.Client(cfg, "1", zap.NewNop())
			checkUnusable(t, err, test.want)
			if client != nil {
				t.Error("there is a client all the same")
			}
		})
	}
}
