package e2e_test

import "testing"

func TestABlindTransferIsToldAsOneCall(t *testing.T) {
	d := newTold(t)
	blindTransfer(d.stage)
	d.expect([]string{
		"call-started " + direct, "client>101 appeared", "client>101 connected",
		"client>101 disconnected & client>102 appeared", "client>102 connected",
		"client>102 disconnected", "client>102 finished", "call-finished",
		"register-call client>101 answered, client>102 answered",
	})
}
