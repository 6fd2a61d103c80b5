package setup

import (
	"fmt"

	"kontur-ari/bridge/directory"
	"kontur-ari/configs"
)

// Directory returns the directory of users and trunks. An error is an [*UnusableError].
func Directory(cfg configs.Config) (*directory.Directory, error) {
	numbers, err := Numbers(cfg)
	if err != nil {
		return nil, err
	}
	trunks := make([]directory.Trunk, len(cfg.Directory.Trunks))
	for i, t := range cfg.Directory.Trunks {
		trunks[i] = directory.Trunk{Endpoint: t.Endpoint, Number: t.Number}
	}
	people, err := directory.New(Users(cfg), trunks, numbers)
	if err != nil {
		return nil, &UnusableError{fmt.Errorf("directory: %w", err)}
	}
	return people, nil
}

// Numbers returns how telephone numbers are read. An error is an [*UnusableError].
func Numbers(cfg configs.Config) (*directory.Numbers, error) {
	numbers, err := directory.NewNumbers(cfg.Calls.Region, cfg.Calls.InternalNumbers.Regexp(), cfg.Calls.HiddenNumber)
	if err != nil {
		return nil, &UnusableError{fmt.Errorf("calls.region: %w", err)}
	}
	return numbers, nil
}

// Users returns the users of the directory, in the order of the file.
func Users(cfg configs.Config) []directory.User {
	users := make([]directory.User, len(cfg.Directory.Users))
	for i, u := range cfg.Directory.Users {
		users[i] = directory.User{ID: u.UserID, Name: u.Name, Extension: u.Extension, Endpoint: u.Endpoint, Mobile: u.Mobile}
	}
	return users
}
