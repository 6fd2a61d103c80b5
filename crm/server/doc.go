// Package server takes commands from the CRM, and from no other client.
//
// A [Server] answers the CRM's system calls (CALL, HANGUP) and webhooks over HTTP
// (contract, "Системные вызовы"). It faces the internet, and behind it stands a
// switch that can dial: so whatever comes is a stranger's until its access key has
// been found good by a [KeyChecker], and what a stranger sends is neither read nor
// parsed beyond its headers. The order in which a request is judged is in
// [Server.judge], from what costs nothing to what costs a question to the CRM.
//
// What a command may do is decided in bridge/commander: numbers, users and rates, and
// what becomes of a command that comes twice.
package server
