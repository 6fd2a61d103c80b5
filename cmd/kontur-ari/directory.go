package main

import (
	"fmt"

	"kontur-ari/bridge"
	"kontur-ari/configs"
)

// directoryOf makes the domain's directory of what is configured.
func directoryOf(cfg configs.Config) (*bridge.Directory, error) {
	numbers, err := numbersOf(cfg)
	if err != nil {
		return nil, err
	}
	trunks := make([]bridge.Trunk, len(cfg.Directory.Trunks))
	for i, t := range cfg.Directory.Trunks {
		trunks[i] = bridge.Trunk{Endpoint: t.Endpoint, Number: t.Number}
	}
	directory, err := bridge.NewDirectory(usersOf(cfg), trunks, numbers)
	if err != nil {
		return nil, unusableConfig{fmt.Errorf("directory: %w", err)}
	}
	return directory, nil
}

// numbersOf is how telephone numbers are read.
func numbersOf(cfg configs.Config) (*bridge.Numbers, error) {
	numbers, err := bridge.NewNumbers(cfg.Calls.Region, cfg.Calls.InternalNumbers.Regexp(), cfg.Calls.HiddenNumber)
	if err != nil {
		return nil, unusableConfig{fmt.Errorf("calls.region: %w", err)}
	}
	return numbers, nil
}

// usersOf are the users of the directory, in its order.
func usersOf(cfg configs.Config) []bridge.User {
	users := make([]bridge.User, len(cfg.Directory.Users))
	for i, u := range cfg.Directory.Users {
		users[i] = bridge.User{ID: u.UserID, Name: u.Name, Extension: u.Extension, Endpoint: u.Endpoint, Mobile: u.Mobile}
	}
	return users
}
