package tracker_test

import (
	"math/rand/v2"
	"runtime"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kontur-ari/bridge"
	"kontur-ari/bridge/tracker"
	"kontur-ari/bridge/tracker/pbxtest"
	"kontur-ari/internal/longtest"
)

// officeHours is traffic that repeats in an exchange, with the snapshots of its moments.
func officeHours(from, to int) []*traffic {
	var hours []*traffic
	for seed := from; seed < to; seed++ {
		hours = append(hours, rapid.Custom(func(t *rapid.T) *traffic { return anyTraffic(t, allCalls, 5) }).Example(seed))
	}
	return hours
}

// renamed is an event with all channels and bridges renamed for the nth hour.
func renamed(event bridge.Event, n int) bridge.Event {
	prefix := strconv.Itoa(n) + "."
	id := func(id *bridge.ChannelID) {
		if *id != "" {
			*id = bridge.ChannelID(prefix) + *id
		}
	}
	channel := func(ch *bridge.Channel) *bridge.Channel {
		if ch == nil {
			return nil
		}
		again := *ch
		id(&again.ID)
		id(&again.LinkedID)
		return &again
	}
	event.Time = event.Time.Add(time.Duration(n) * time.Minute)
	event.Channel, event.Caller, event.Peer = channel(event.Channel), channel(event.Caller), channel(event.Peer)
	if event.Bridge != nil {
		event.Bridge = &bridge.Bridge{ID: prefix + event.Bridge.ID, Holding: event.Bridge.Holding}
	}
	if event.Transfer != nil {
		again := *event.Transfer
		for _, one := range []*bridge.ChannelID{&again.Transferer, &again.SecondLeg, &again.Transferee, &again.Target} {
			id(one)
		}
		event.Transfer = &again
	}
	if event.Snapshot != nil {
		again := &bridge.Snapshot{}
		for i := range event.Snapshot.Channels {
			again.Channels = append(again.Channels, *channel(&event.Snapshot.Channels[i]))
		}
		for _, br := range event.Snapshot.Bridges {
			there := bridge.Bridge{ID: prefix + br.ID, Holding: br.Holding}
			for _, member := range br.Channels {
				id(&member)
				there.Channels = append(there.Channels, member)
			}
			again.Bridges = append(again.Bridges, there)
		}
		event.Snapshot = again
	}
	return event
}

// heapInUse returns the allocated bytes after all garbage was collected.
func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// heapBound is what the heap may grow by. After the last call, the ids of the calls that ended
// last stay: for each a slot, an entry of a map, and the id itself, about 100 bytes.
func heapBound(calls int) int64 { return int64(min(calls, bridge.EndedMemory)) * 256 }

func TestThousandsOfCallsLeaveNothingInMemory(t *testing.T) {
	calls := longtest.Count(2_000, 100_000)
	hours := officeHours(0, longtest.Count(50, 200))
	for _, lost := range []int{0, 100} {
		chance := rand.New(rand.NewPCG(1, uint64(lost)))
		tr := tracker.New(pbxtest.Office(), allCalls)
		before, played, ended := heapInUse(), 0, 0
		for n := 0; played < calls/2; n++ {
			hour := hours[n%len(hours)]
			played += hour.Calls()
			for i, event := range hour.Events() {
				if lost > 0 && chance.IntN(2000) == 0 {
					// A connect ends the gap.
					tr.Apply(renamed(hour.Snapshot(i), n))
				}
				if chance.IntN(1000) >= lost {
					ended += len(tr.Apply(renamed(event, n)).Ended)
				}
			}
		}
		if lost > 0 {
			ended += len(tr.Apply(bridge.Event{Type: bridge.EventSnapshot, Time: pbxtest.Midnight, Snapshot: &bridge.Snapshot{}}).Ended)
		}
		if n := tr.Remembered(); n != 0 {
			t.Errorf("with %d of 1000 events lost %d things are remembered after the last call", lost, n)
		}
		if grown := heapInUse() - before; grown > heapBound(played) {
			t.Errorf("with %d of 1000 events lost the heap has grown by %d kB after %d calls, more than %d kB", lost, grown/1024, played, heapBound(played)/1024)
		}
		if ended < played/3 {
			t.Errorf("with %d of 1000 events lost only %d of %d calls were reported", lost, ended, played)
		}
		runtime.KeepAlive(tr)
	}
	runtime.KeepAlive(hours)
}
