package main

import (
	"fmt"

	"kontur-ari/bridge/directory"
	"kontur-ari/configs"
)

// directoryOf makes the domain's directory of what is configured.
func directoryOf(cfg configs.Config) (*directory.Directory, error) {
	numbers, err := numbersOf(cfg)
	if err != nil {
		return nil, err
	}
	trunks := make([]directory.Trunk, len(cfg.Directory.Trunks))
	for i, t := range cfg.Directory.Trunks {
		trunks[i] = directory.Trunk{Endpoint: t.Endpoint, Number: t.Number}
	}
	people, err := directory.New(usersOf(cfg), trunks, numbers)
	if err != nil {
		return nil, unusableConfig{fmt.Errorf("directory: %w", err)}
	}
	return people, nil
}

// numbersOf is how telephone numbers are read.
func numbersOf(cfg configs.Config) (*directory.Numbers, error) {
	numbers, err := directory.NewNumbers(cfg.Calls.Region, cfg.Calls.InternalNumbers.Regexp(), cfg.Calls.HiddenNumber)
	if err != nil {
		return nil, unusableConfig{fmt.Errorf("calls.region: %w", err)}
	}
	return numbers, nil
}

// usersOf are the users of the directory, in its order.
func usersOf(cfg configs.Config) []directory.User {
	users := make([]directory.User, len(cfg.Directory.Users))
	for i, u := range cfg.Directory.Users {
		users[i] = directory.User{ID: u.UserID, Name: u.Name, Extension: u.Extension, Endpoint: u.Endpoint, Mobile: u.Mobile}
	}
	return users
}
