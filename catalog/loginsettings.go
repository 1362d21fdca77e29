package catalog

import (
	"slices"
	"strings"
)

// LoginSettings are the parameters that sessions begin with: those of Role in
// Database, where "" is every role and every database.
type LoginSettings struct {
	Role     string `json:"role,omitempty"`
	Database string `json:"database,omitempty"`
	// Config are the parameters as name=value, in the order they were first set
	// in; none ends the entry.
	Config []string `json:"config,omitempty"`
}

// With returns the settings with name, as SHOW spells it, set to value. l stays as
// it is.
func (l LoginSettings) With(name, value string) LoginSettings {
	l.Config = slices.Clone(l.Config)
	if i := l.find(name); i >= 0 {
		l.Config[i] = name + "=" + value
	} else {
		l.Config = append(l.Config, name+"="+value)
	}
	return l
}

// Without returns the settings without those whose lower-case names gone says yes
// to. l stays as it is.
func (l LoginSettings) Without(gone func(key string) bool) LoginSettings {
	l.Config = slices.DeleteFunc(slices.Clone(l.Config), func(c string) bool {
		name, _, _ := strings.Cut(c, "=")
		return gone(strings.ToLower(name))
	})
	return l
}

func (l LoginSettings) find(name string) int {
	return slices.IndexFunc(l.Config, func(c string) bool {
		n, _, _ := strings.Cut(c, "=")
		return strings.EqualFold(n, name)
	})
}

// LoginSettings lists what ALTER ROLE and ALTER DATABASE have set, in the order it
// was first set in. Do not change it.
func (s *Snapshot) LoginSettings() []LoginSettings { return s.settings }

// LoginSettingsOf returns the entry of a role and database, "" for all of them; its
// Config is empty where there is none.
func (s *Snapshot) LoginSettingsOf(role, database string) LoginSettings {
	for _, l := range s.settings {
		if l.Role == role && l.Database == database {
			return l
		}
	}
	return LoginSettings{Role: role, Database: database}
}

// putSettings puts l in the place of the entry of its role and database.
func (s *Snapshot) putSettings(l LoginSettings) {
	s.settings = slices.Clone(s.settings)
	i := slices.IndexFunc(s.settings, func(o LoginSettings) bool { return o.Role == l.Role && o.Database == l.Database })
	switch {
	case len(l.Config) == 0 && i >= 0:
		s.settings = slices.Delete(s.settings, i, i+1)
	case len(l.Config) == 0:
	case i >= 0:
		s.settings[i] = l
	default:
		s.settings = append(s.settings, l)
	}
}

// renameSettings gives the settings of the role from to the role to; "" drops them.
func (s *Snapshot) renameSettings(from, to string) {
	if to == "" {
		s.settings = slices.DeleteFunc(slices.Clone(s.settings), func(l LoginSettings) bool { return l.Role == from })
		return
	}
	s.settings = slices.Clone(s.settings)
	for i := range s.settings {
		if s.settings[i].Role == from {
			s.settings[i].Role = to
		}
	}
}
