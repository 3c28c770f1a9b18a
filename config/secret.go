package config

import "log/slog"

// redactedText is what every rendering shows in place of a secret.
const redactedText = "[redacted]"

// Secret is a value that no rendering shows: String, JSON, text, %v and slog all
// give "[redacted]", or nothing when it is empty.
type Secret struct {
	// A pointer, because fmt calls no method of a field it cannot reach, such as
	// one of an unexported field, and prints what is inside.
	value *string
}

// NewSecret wraps value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{&value}
}

// Reveal returns the value itself, for the one place that uses it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsSet reports whether there is a value.
func (s Secret) IsSet() bool { return s.value != nil }

// Equal reports whether both hold the same value. == compares identities.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

func (s Secret) String() string {
	if !s.IsSet() {
		return ""
	}
	return redactedText
}

// GoString keeps %#v from printing the value.
func (s Secret) GoString() string { return `config.Secret{"` + s.String() + `"}` }

// MarshalText redacts in JSON, TOML and every other text encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue redacts in log records.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
