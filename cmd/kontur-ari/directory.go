package main

import (
	"fmt"

	"kontur-ari/bridge"
	"kontur-ari/configs"
)

// directoryOf makes the domain's directory of what is configured.
func directoryOf(cfg configs.Config) (*bridge.Directory, error) {
	numbers, err := bridge.NewNumbers(cfg.Calls.Region, cfg.Calls.InternalNumbers.Regexp(), cfg.Calls.HiddenNumber)
	if err != nil {
		return nil, unusableConfig{fmt.Errorf("calls.region: %w", err)}
	}
	users := make([]bridge.User, len(cfg.Directory.Users))
	for i, u := range cfg.Directory.Users {
		users[i] = bridge.User{ID: u.UserID, Name: u.Name, Extension: u.Extension, Endpoint: u.Endpoint, Mobile: u.Mobile}
	}
	trunks := make([]bridge.Trunk, len(cfg.Directory.Trunks))
	for i, t := range cfg.Directory.Trunks {
		trunks[i] = bridge.Trunk{Endpoint: t.Endpoint, Number: t.Number}
	}
	directory, err := bridge.NewDirectory(users, trunks, numbers)
	if err != nil {
		return nil, unusableConfig{fmt.Errorf("directory: %w", err)}
	}
	return directory, nil
}
