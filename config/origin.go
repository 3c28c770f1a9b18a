package config

import "fmt"

// Layer is one source of values; later layers win.
type Layer string

// The layers in order of precedence, lowest first.
const (
	LayerDefault Layer = "default"
	LayerProfile Layer = "profile"
	LayerFile    Layer = "file"
	LayerEnv     Layer = "env"
	LayerFlag    Layer = "flag"
)

// Origin says where an effective value comes from.
type Origin struct {
	Layer Layer
	File  string // for LayerFile, as it was named
	Line  int
	Col   int
	Name  string // variable, flag or profile
}

// MarshalText gives String: "file llmspell.toml:12".
func (o Origin) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

func (o Origin) String() string {
	switch o.Layer {
	case LayerFile:
		return fmt.Sprintf("file %s:%d", o.File, o.Line)
	case LayerDefault, "":
		return string(LayerDefault)
	}
	return string(o.Layer) + " " + o.Name
}

// Origin returns where the value of key comes from; false if there is no such key.
func (c *Config) Origin(key string) (Origin, bool) {
	segs, e := resolveKey(key)
	if e == nil {
		return Origin{}, false
	}
	if o, ok := c.origins[joinKey(segs)]; ok {
		return o, true
	}
	return Origin{Layer: LayerDefault}, true
}

// IsSet reports whether a layer above the defaults set key.
func (c *Config) IsSet(key string) bool {
	o, ok := c.Origin(key)
	return ok && o.Layer != LayerDefault
}

// problem makes a Problem about key, placed where its value was set.
func (c *Config) problem(key, format string, args ...any) Problem {
	return c.origins[key].problem(key, format, args...)
}

func (o Origin) problem(key, format string, args ...any) Problem {
	p := Problem{File: o.File, Line: o.Line, Col: o.Col, Key: key, Message: fmt.Sprintf(format, args...)}
	if o.Layer == LayerProfile {
		p.Source = "profile " + o.Name
	} else if o.Layer != LayerFile {
		p.Source = o.Name
	}
	return p
}
