package commander

import (
	"strings"

	"kontur-ari/bridge"
	"kontur-ari/bridge/directory"
)

// read makes a click-to-call of a command, and finds the telephones to ring for it. The
// refusal says why the command is not obeyed.
func (c *Commander) read(command bridge.CallCommand) (bridge.ClickToCall, []directory.User, *bridge.Refusal) {
	click := bridge.ClickToCall{Application: c.config.Application, CommunicationID: strings.ToLower(command.CommunicationID)}
	if click.CommunicationID == "" {
		return click, nil, &bridge.Refusal{Status: bridge.RefusedInvalid, Message: "communicationId: is missing."}
	}
	entries := c.config.Directory.Users(command.FromUserID)
	if len(entries) == 0 {
		return click, nil, &bridge.Refusal{Status: bridge.RefusedUser, Message: "fromUserId: this user is not in the telephone exchange's directory."}
	}
	click.From = entries[0].ID
	phones := withPhone(entries)
	if len(phones) == 0 {
		return click, nil, &bridge.Refusal{Status: bridge.RefusedUser, Message: "fromUserId: this user has no telephone in the exchange's directory."}
	}
	refusal := c.readTarget(&click, command)
	return click, phones, refusal
}

// readTarget finds the number to dial. toUserId goes before clientPhone: the contract's
// example has both.
func (c *Commander) readTarget(click *bridge.ClickToCall, command bridge.CallCommand) *bridge.Refusal {
	if command.ToUserID == "" {
		number := c.config.Numbers.Typed(command.ClientPhone)
		if number == "" {
			return &bridge.Refusal{Status: bridge.RefusedNumber, Message: "clientPhone: is no telephone number."}
		}
		if !c.config.Allowed(number) {
			return &bridge.Refusal{Status: bridge.RefusedNumber, Message: "clientPhone: calls.allowed_numbers of the telephone exchange doesn't allow this number."}
		}
		click.Number = number
		return nil
	}
	entries := c.config.Directory.Users(command.ToUserID)
	if len(entries) == 0 {
		return &bridge.Refusal{Status: bridge.RefusedUser, Message: "toUserId: this user is not in the telephone exchange's directory."}
	}
	click.To = entries[0].ID
	if click.To == click.From {
		return &bridge.Refusal{Status: bridge.RefusedInvalid, Message: "toUserId: is the user who calls."}
	}
	for _, entry := range entries {
		if entry.Extension != "" {
			click.Number = entry.Extension
			return nil
		}
	}
	return &bridge.Refusal{Status: bridge.RefusedUser, Message: "toUserId: this user has no extension in the telephone exchange's directory."}
}

func withPhone(entries []directory.User) []directory.User {
	var phones []directory.User
	for _, entry := range entries {
		if entry.Endpoint != "" {
			phones = append(phones, entry)
		}
	}
	return phones
}
