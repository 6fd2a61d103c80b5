package server_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"testing"

	"kontur-ari/crm/server"
)

// slowly is a budget that doesn't grow back while a test runs.
func slowly(burst int) server.Budget { return server.Budget{PerSecond: 0.001, Burst: burst} }

func TestTenThousandInventedKeysDoNotReachTheCRM(t *testing.T) {
	const invented, workers, burst = 10_000, 8, 20
	s := newStage(t, func(c *server.Config) {
		c.Limits.PeerChecks, c.Limits.AllChecks = slowly(burst), slowly(3*burst)
	})
	flooder := s.clientFrom("127.0.0.2")
	flooder.Transport.(*http.Transport).MaxIdleConnsPerHost = workers
	var group sync.WaitGroup
	statuses := make([]map[int]int, workers)
	for worker := range workers {
		statuses[worker] = map[int]int{}
		group.Go(func() {
			for i := range invented / workers {
				answer := s.send(sent{from: flooder, header: map[string]string{"X-XCOM-AccessKey": fmt.Sprintf("invented-%d-%d", worker, i)}})
				statuses[worker][answer.status]++
				if wait, err := strconv.Atoi(answer.header.Get("Retry-After")); answer.status == 429 && (err != nil || wait < 1 || wait > 60) {
					t.Errorf("Retry-After is %q", answer.header.Get("Retry-After"))
				}
				if i == invented/workers/2 && worker == 0 {
					s.expect(s.send(sent{}), http.StatusOK, `"OK"`) // from another peer, in the middle of it
				}
			}
		})
	}
	group.Wait()
	total := map[int]int{}
	for _, counted := range statuses {
		for status, n := range counted {
			total[status] += n
		}
	}
	if total[401] != burst || total[429] != invented-burst {
		t.Errorf("answers %v, want %d of 401 and the rest 429", total, burst)
	}
	if n := s.crm.questions(); n != burst+1 {
		t.Errorf("the CRM was asked %d times, want %d", n, burst+1)
	}
	// A known key costs nothing, from any peer.
	s.expect(s.send(sent{from: flooder}), http.StatusOK, `"OK"`)
	if lines := s.logs.FilterMessage("a request was rejected").Len(); lines > 4 {
		t.Errorf("%d lines in the log of one flood", lines)
	}
	if s.switchboard.commands() != 2 {
		t.Errorf("%d commands, want 2", s.switchboard.commands())
	}
}

func TestStrangersFromEverywhereLeaveRoomForThoseWhoHadAGoodKey(t *testing.T) {
	s := newStage(t, func(c *server.Config) {
		c.Limits.PeerChecks, c.Limits.AllChecks = slowly(5), slowly(10)
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	})
	from := func(peer, key string) got {
		return s.send(sent{header: map[string]string{"X-XCOM-AccessKey": key, "X-Forwarded-For": peer}})
	}
	s.expect(from("203.0.113.1", goodKey), http.StatusOK, "")
	for i := range 100 {
		from(fmt.Sprintf("198.51.100.%d", i), fmt.Sprintf("invented-%d", i))
	}
	s.expect(from("198.51.100.200", "another-key"), http.StatusTooManyRequests, "")
	s.crm.set(func(c *crm) { c.keys["next-key"] = true })
	s.expect(from("203.0.113.1", "next-key"), http.StatusOK, "")
	if n := s.crm.questions(); n > 11 {
		t.Errorf("the CRM was asked %d times", n)
	}
}

func TestAKeyThatCannotBeCheckedIsNotObeyed(t *testing.T) {
	s := newStage(t, nil)
	s.crm.set(func(c *crm) { c.down = errors.New("no answer in time") })
	answer := s.send(sent{})
	s.expect(answer, http.StatusServiceUnavailable, "")
	if answer.header.Get("Retry-After") != "2" || s.switchboard.commands() != 0 {
		t.Errorf("headers %v, %d commands", answer.header, s.switchboard.commands())
	}
	stats := s.server.Stats()
	if stats.Checks != 1 || stats.FailedChecks != 1 || stats.Rejected[server.RejectedUnchecked] != 1 {
		t.Errorf("counted %+v", stats)
	}
}

func TestNetworks(t *testing.T) {
	prefixes := func(texts ...string) (all []netip.Prefix) {
		for _, text := range texts {
			all = append(all, netip.MustParsePrefix(text))
		}
		return all
	}
	for _, test := range []struct {
		name             string
		allowed, proxies []netip.Prefix
		forwarded        string
		peer             string // "" where it is refused
	}{
		{"everybody", nil, nil, "", "127.0.0.1"},
		{"allowed", prefixes("10.0.0.0/8", "127.0.0.0/8"), nil, "", "127.0.0.1"},
		{"not allowed", prefixes("10.0.0.0/8"), nil, "", ""},
		{"spoofed", prefixes("10.0.0.0/8"), nil, "10.0.0.1", ""},
		{"spoofed to a proxy that isn't trusted", prefixes("10.0.0.0/8"), prefixes("192.0.2.0/24"), "10.0.0.1", ""},
		{"by a proxy", prefixes("10.0.0.0/8"), prefixes("127.0.0.1/32"), "10.0.0.1", "10.0.0.1"},
		{"not allowed by a proxy", prefixes("10.0.0.0/8"), prefixes("127.0.0.1/32"), "203.0.113.9", ""},
		{"spoofed through a proxy", prefixes("10.0.0.0/8"), prefixes("127.0.0.1/32"), "10.0.0.1, 203.0.113.9", ""},
		{"through two proxies", prefixes("10.0.0.0/8"), prefixes("127.0.0.1/32", "192.0.2.0/24"), "203.0.113.9,10.0.0.1 , 192.0.2.7", "10.0.0.1"},
		{"by an IPv6 proxy's port", prefixes("2001:db8::/32"), prefixes("127.0.0.1/32"), "[2001:db8::1]:4711", "2001:db8::1"},
		{"mapped", prefixes("10.0.0.0/8"), prefixes("127.0.0.1/32"), "::ffff:10.0.0.1", "10.0.0.1"},
		{"no address", prefixes("10.0.0.0/8"), prefixes("127.0.0.1/32"), "10.0.0.1, unknown", ""},
		{"a proxy without X-Forwarded-For", nil, prefixes("127.0.0.1/32"), "", "127.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newStage(t, func(c *server.Config) { c.AllowedNetworks, c.TrustedProxies = test.allowed, test.proxies })
			header := map[string]string{"X-Forwarded-For": test.forwarded}
			if test.forwarded == "" {
				header = nil
			}
			answer := s.send(sent{header: header})
			if test.peer == "" {
				s.expect(answer, http.StatusForbidden, "")
				if s.switchboard.commands()+s.crm.questions() != 0 || s.server.Stats().Rejected[server.RejectedNetwork] != 1 {
					t.Errorf("%d commands, %d questions, %+v", s.switchboard.commands(), s.crm.questions(), s.server.Stats())
				}
				return
			}
			s.expect(answer, http.StatusOK, `"OK"`)
			if peer := s.logs.FilterMessage("command obeyed").All()[0].ContextMap()["peer"]; peer != test.peer {
				t.Errorf("the peer is %v, want %s", peer, test.peer)
			}
		})
	}
}
