package config

// Scopes returns the default directories of the caller's user scope and of the
// system scope, in that order: where running kernels are looked for. Directories
// passed by a service manager count for both.
func (p Params) Scopes() []Paths {
	user := p
	user.Command = "run"
	system := p
	system.UID, system.Command = 0, "kernel"
	return []Paths{user.paths(), system.paths()}
}
