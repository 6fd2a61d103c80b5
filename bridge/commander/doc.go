// Package commander obeys the CRM: it has phones rung and calls hung up, within what
// the operator allows.
//
// An order is durable before the switch is asked for anything, and the ids of its
// channels follow from the communication's: so an order that comes again, or is found
// after a crash, can be looked up, and nobody is ever called twice. What then becomes
// of the call is decided by the Tracker from the switch's events, as for every other
// call; this package does what it asks for (see [Commander.Act]).
package commander
