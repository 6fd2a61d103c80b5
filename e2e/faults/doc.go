// Package faults breaks what can break beside kontur-ari: its process, its host, its
// disk, the CRM, the network and the connection to Asterisk; and compares what the CRM
// holds afterwards with what really happened.
//
// The daemon is the released program with its real store. Asterisk is ari/aritest,
// which plays the captured calls of e2e/testdata/captures again and again, the CRM is
// crm/crmtest. The tests need root, for file systems of their own:
//
//	go test ./e2e/faults                  a short form
//	go test ./e2e/faults -args -full      all of it
//
// Where they can't run they fail and say what is missing; KONTUR_ARI_E2E=off leaves
// them out.
package faults
