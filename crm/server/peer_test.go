package server

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestNoClientChoosesItsAddress: whatever a client writes into X-Forwarded-For, the peer is
// the address that the trusted proxies saw.
func TestNoClientChoosesItsAddress(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}
	g := allowedPeers{proxies: proxies}
	proxy := rapid.SampledFrom([]string{"127.0.0.1", "127.1.2.3", "2001:db8::7", "::ffff:127.0.0.2"})
	written := rapid.OneOf(proxy, rapid.SampledFrom([]string{"", " ", "10.0.0.1", "unknown", "[::1]:80", "10.0.0.1:1", "a,b"}), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		client := rapid.SampledFrom([]string{"203.0.113.9", "2001:db9::1"}).Draw(t, "client")
		claims := rapid.SliceOf(written).Draw(t, "claims")
		hops := rapid.SliceOf(proxy).Draw(t, "hops")
		r := &http.Request{Header: http.Header{"X-Forwarded-For": claims}}

		r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(client), 4711).String()
		if got := g.peer(r); got.String() != client {
			t.Fatalf("the peer of a direct connection is %s, want %s", got, client)
		}
		seen := append([]string{client}, hops...)
		if rapid.Bool().Draw(t, "one line") {
			seen = []string{strings.Join(seen, ", ")}
		}
		r.Header["X-Forwarded-For"] = append(claims, seen...)
		r.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(proxy.Draw(t, "last")), 4711).String()
		if got := g.peer(r); got.String() != client {
			t.Fatalf("the peer is %s, want %s", got, client)
		}
	})
}
