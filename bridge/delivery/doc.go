// Package delivery sends reports from the outbox to the CRM.
//
// What it guarantees:
//   - The reports of one call are sent in the order in which they were committed, and
//     at most one of them is in flight. Different calls are sent side by side.
//   - A report leaves the outbox only once the CRM took it or refused it for good, and
//     that is durable before the next report of the call is sent. So a report is sent at
//     least once; a crash between the answer and its recording repeats that one request.
//   - While answers can't be recorded, nothing more is sent.
//
// What becomes of a request is the [bridge.Verdict] of the [bridge.Sender]:
//   - Delivered: it is recorded, and the call goes on.
//   - Refused, such as 409 and 400: it becomes a dead letter, and the call goes on.
//   - Retry, such as 5xx or no answer in time: the call pauses, twice as long after each
//     failure in a row. Other calls go on, unless several fail in a row.
//   - Retry of all: the CRM can't be reached, no access key can be had (401), or the CRM
//     asks for a pause (Retry-After). All calls pause. Then the CRM is probed by one
//     request at a time (internal/breaker).
//   - Expired: a recording that the CRM has forgotten is not sent, but uploaded again.
//
// A report that may still succeed is tried for ever: neither its age nor the number of
// attempts ends that. The pauses are delivery.first_pause to delivery.longest_pause, by
// default 0.5 to 30 s.
//
// It has three parts: the feeder reads the oldest reports of calls that are ready, the
// workers send them and record the answers, and under load recordAnswers stores many
// answers together. Calls that are over before the CRM heard of them collapse into their
// last report (collapse.go).
//
// By file: feed.go is the feeder, send.go a worker, recordanswers.go the answers; lane.go
// is the delivery of one call, with its pauses; reachable.go the circuit breaker; wake.go
// takes reports that were just committed; identities.go the CRM's ids of calls.
package delivery
