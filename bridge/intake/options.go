package intake

import "kontur-ari/bridge"

// Option is something that an Intake can do without.
type Option func(*Intake)

// WithActions has act called with the requests to the switch that an event asks for,
// once the event is durable. act must not block.
func WithActions(act func([]bridge.Action)) Option { return func(i *Intake) { i.act = act } }

// WithRecordings has look called when calls that are over may have recordings. look
// must not block.
func WithRecordings(look func()) Option { return func(i *Intake) { i.recorded = look } }

// WithMemory bounds the memory, in bytes, that events take until they are on disk. It
// is an estimate. The default is [DefaultMemory].
func WithMemory(bytes int64) Option { return func(i *Intake) { i.queue.most = bytes } }

// WithSource names where the events come from. The source is asked for a snapshot after
// events were dropped.
func WithSource(source Source) Option { return func(i *Intake) { i.queue.source = source } }
