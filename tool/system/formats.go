package system

import (
	"strconv"
	"time"
)

// formats are what the tool reads, in this order. A layout without zone is
// taken in the call's zone.
var formats = []struct{ name, layout string }{
	{"RFC3339", time.RFC3339Nano},
	{"RFC3339 with space", "2006-01-02 15:04:05.999999999Z07:00"},
	{"RFC2822", "Mon, _2 Jan 2006 15:04:05 -0700"},
	{"RFC2822 without weekday", "_2 Jan 2006 15:04:05 -0700"},
	{"RFC1123", time.RFC1123},
	{"RFC850", time.RFC850},
	{"%Y-%m-%dT%H:%M:%S", "2006-01-02T15:04:05.999999999"},
	{"%Y-%m-%d %H:%M:%S", "2006-01-02 15:04:05.999999999"},
	{"%Y-%m-%d %H:%M", "2006-01-02 15:04"},
	{"%Y-%m-%dT%H:%M", "2006-01-02T15:04"},
	{"%Y-%m-%d", "2006-01-02"},
	{"%Y/%m/%d %H:%M:%S", "2006/01/02 15:04:05"},
	{"%Y/%m/%d", "2006/01/02"},
	{"%d.%m.%Y %H:%M:%S", "02.01.2006 15:04:05"},
	{"%d.%m.%Y", "02.01.2006"},
	{"%Y%m%dT%H%M%SZ", "20060102T150405Z07:00"},
	{"%Y%m%d", "20060102"},
	{"%a %b %e %H:%M:%S %Y", time.ANSIC},
	{"%B %d, %Y", "January 2, 2006"},
	{"%d %B %Y", "2 January 2006"},
	{"%b %d, %Y", "Jan 2, 2006"},
	{"%d %b %Y", "2 Jan 2006"},
}

const unixFormat = "Unix time"

// parseTime reads s in the first format that fits, and reports which. A whole
// number of 9 to 11 digits is Unix time in seconds, of 12 to 14 in ms.
func parseTime(s string, zone *time.Location) (time.Time, string, bool) {
	if len(s) > 100 {
		return time.Time{}, "", false
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) >= 9 && len(s) <= 14 {
		if len(s) <= 11 {
			return time.Unix(n, 0).In(zone), unixFormat, true
		}
		return time.UnixMilli(n).In(zone), unixFormat, true
	}
	for _, f := range formats {
		if t, err := time.ParseInLocation(f.layout, s, zone); err == nil && t.Year() >= 1 {
			return t, f.name, true
		}
	}
	return time.Time{}, "", false
}

func formatList(now time.Time) []any {
	out := []any{}
	for _, f := range formats {
		out = append(out, map[string]any{"name": f.name, "example": now.Format(f.layout)})
	}
	return append(out, map[string]any{"name": unixFormat, "example": strconv.FormatInt(now.Unix(), 10)})
}
