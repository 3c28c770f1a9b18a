package luamod

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/llmspell/llmspell/script"
)

// withSnakeCase adds to every row whose name is camelCase its snake_case
// spelling.
func withSnakeCase(rows []script.Func) []script.Func {
	for i := range rows {
		if s := snakeCase(rows[i].Name); s != rows[i].Name && !slices.Contains(rows[i].Aliases, s) {
			rows[i].Aliases = append(rows[i].Aliases, s)
		}
	}
	return rows
}

func snakeCase(s string) string {
	var b strings.Builder
	for _, r := range s {
		if unicode.IsUpper(r) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// privateHost reports whether a host is, by its name or as an address, of this
// machine or a private network.
func privateHost(host string) bool {
	host = strings.Trim(host, "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && (addr.IsLoopback() || addr.IsPrivate() || addr.IsLinkLocalUnicast() || addr.IsUnspecified())
}
