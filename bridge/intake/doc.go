// Package intake takes events to disk. A queue in memory never makes the reader of the
// switch wait. One writer applies each event to the Tracker and commits a batch in one
// transaction: the events, the calls they changed and the reports they caused.
//
// What it guarantees:
//   - Events are applied and stored in the order in which they arrived.
//   - A batch is stored whole or not at all. Reports, actions and the return of
//     [Intake.Give] come only after the batch is durable.
//   - Each event is applied once. A commit that fails is repeated with the same batch,
//     after 0.1 s at first and at most a second later, until it succeeds. A damaged store is
//     not asked again: [Intake.Run] ends with an error.
//   - Memory is bounded ([WithMemory]). An event that finds no room is dropped and
//     counted, and a new snapshot of the switch makes up for it. The result of a
//     click-to-call is never dropped.
//   - When the context of [Intake.Run] ends, everything that arrived is committed. A
//     journal that fails then is asked once more; the error says how many events are lost.
package intake
