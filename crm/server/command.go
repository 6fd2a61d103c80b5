package server

import (
	"bytes"

	"github.com/google/uuid"

	"kontur-ari/bridge"
)

// decodeCall reads the body of CALL. What numbers and users may be is for the
// Commander to say. The error is malformed.
func decodeCall(body []byte) (bridge.CallCommand, error) {
	var c bridge.CallCommand
	err := decode(bytes.NewReader(body), map[string]*string{
		"communicationId": &c.CommunicationID, "fromUserId": &c.FromUserID,
		"toUserId": &c.ToUserID, "clientPhone": &c.ClientPhone,
	})
	if err == nil && c.FromUserID == "" {
		err = malformed("fromUserId is missing; send the id of the user whose telephone is to ring")
	}
	if err == nil {
		c.CommunicationID, err = communication("communicationId", c.CommunicationID)
	}
	return c, err
}

// decodeHangup reads the body of HANGUP; id is the one of its path, "" without one.
// A command without a call in its path names a leg. The error is malformed.
func decodeHangup(body []byte, id string) (bridge.HangupCommand, error) {
	var c bridge.HangupCommand
	var leg string
	err := decode(bytes.NewReader(body), map[string]*string{"realtimeCallItemId": &leg, "userId": &c.UserID})
	if err == nil && c.UserID == "" {
		err = malformed("userId is missing; send the id of the user who hangs up")
	}
	if err == nil && id == "" && leg == "" {
		err = malformed("realtimeCallItemId is missing; send the id of the leg, or the communication's id in the path")
	}
	if err == nil && id != "" {
		c.CommunicationID, err = communication("id in the path", id)
	}
	c.Leg = bridge.LegID(leg)
	return c, err
}

// communication brings a communication's id to one form, by which repeated commands
// are known. The GUID of zeros is what a program sends that has none: all its
// calls would be one.
func communication(field, id string) (string, error) {
	if id == "" {
		return "", malformed(field + " is missing; send the id of the communication, a GUID")
	}
	guid, err := uuid.Parse(id)
	if err != nil || len(id) != len(uuid.Nil.String()) || guid == uuid.Nil {
		return "", malformed(field + " is not a GUID; send one such as 30a0c1d2-0000-4000-8000-00000000b4e0")
	}
	return guid.String(), nil
}
