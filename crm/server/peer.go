package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// allowedPeers finds the address that asks, and says whether its network may.
type allowedPeers struct{ allowed, proxies []netip.Prefix }

// peer returns the address that a request comes from. That is the address of the
// connection. If a trusted proxy connects, it is the rightmost address in
// X-Forwarded-For that isn't a trusted proxy: what stands further left comes from the
// client, and may be anything. A proxy that gives no readable address is itself the
// peer. The zero address is one that can't be read.
func (g allowedPeers) peer(r *http.Request) netip.Addr {
	connection, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	peer := plain(connection.Addr())
	if !within(g.proxies, peer) {
		return peer
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		address, ok := parseHop(hop)
		if !ok {
			return peer
		}
		if peer = address; !within(g.proxies, peer) {
			return peer
		}
	}
	return peer
}

// parseHop reads an address as proxies write it: alone, or with a port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if address, err := netip.ParseAddr(text); err == nil {
		return plain(address), true
	}
	address, err := netip.ParseAddrPort(text)
	return plain(address.Addr()), err == nil
}

// plain gives every address the one form that networks are written in.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

// admits reports whether commands may come from a peer.
func (g allowedPeers) admits(peer netip.Addr) bool {
	return len(g.allowed) == 0 || within(g.allowed, peer)
}

func within(networks []netip.Prefix, address netip.Addr) bool {
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(address) })
}
