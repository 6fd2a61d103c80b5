// Package e2e makes telephone calls on a real Asterisk and checks what the CRM
// receives.
//
// The tests need root and an Asterisk in a folder of its own:
//
//	e2e/lab/provision.sh    once
//	go test ./e2e/...
//
// Where they can't run, they fail and say what is missing; KONTUR_ARI_E2E=off
// leaves them out. To record the captures again, after a change of Asterisk or the lab:
//
//	go test ./e2e -run TestEveryCallIsReported -update-captures
package e2e
