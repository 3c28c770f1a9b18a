package system

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
	"github.com/llmspell/llmspell/tool/tooltest"
)

type m = map[string]any

func TestUUID(t *testing.T) {
	t.Parallel()
	version := func(want uuid.Version) func(*testing.T, tool.Result) {
		return func(t *testing.T, r tool.Result) {
			id, err := uuid.Parse(r.PrimaryValue().(string))
			if err != nil || id.Version() != want || id.Variant() != uuid.RFC4122 {
				t.Errorf("%v: version %v, variant %v, %v", r.PrimaryValue(), id.Version(), id.Variant(), err)
			}
			if sec, _ := id.Time().UnixTime(); want != 4 && sec != tooltest.Clock.Unix() {
				t.Errorf("v%d holds %v", want, time.Unix(sec, 0).UTC())
			}
		}
	}
	matches := func(prefix, suffix string, length int) func(*testing.T, tool.Result) {
		return func(t *testing.T, r tool.Result) {
			s := r.PrimaryValue().(string)
			if !strings.HasPrefix(s, prefix) || !strings.HasSuffix(s, suffix) || len(s) != length {
				t.Errorf("%q (%d), want %s...%s of %d", s, len(s), prefix, suffix, length)
			}
		}
	}
	const dns = "cfbff0d1-9375-5685-968c-48ce8b15ae17" // of example.com
	tooltest.Run(t, NewUUID(), []tooltest.Case{
		{Params: m{}, Want: m{"version": "v4", "format": "hyphenated"}, Check: version(4)},
		{Params: m{"version": "v1"}, Check: version(1)},
		{Params: m{"version": "v7"}, Check: version(7)},
		{Params: m{"version": "nil"}, Want: m{"uuid": "00000000-0000-0000-0000-000000000000"}},
		{Params: m{"version": "v5", "namespace": "dns", "name": "example.com"}, Want: m{"uuid": dns, "version": "v5"}},
		{Params: m{"operation": "deterministic", "namespace": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "name": "example.com"}, Want: m{"uuid": dns}},
		{Params: m{"operation": "deterministic", "namespace": "my space", "name": "x", "format": "simple"}, Check: matches("", "", 32)},
		{Params: m{"operation": "deterministic", "name": "x", "version": "v4"}, Fails: fault.InvalidArgument},
		{Params: m{"version": "v5"}, Fails: fault.InvalidArgument, Says: "name"},
		{Params: m{"name": "x"}, Fails: fault.InvalidArgument},
		{Params: m{"format": "urn"}, Check: matches("urn:uuid:", "", 45)},
		{Params: m{"format": "braced"}, Check: matches("{", "}", 38)},
		{Params: m{"format": "simple"}, Check: matches("", "", 32)},
		{Params: m{"operation": "component_id"}, Want: m{"prefix": "component"}, Check: matches("component-", "", 46)},
		{Params: m{"operation": "component_id", "prefix": "agent", "short": true}, Check: matches("agent-", "", 14)},
		{Params: m{"operation": "component_id", "short": true, "format": "urn"}, Check: matches("component-", "", 18)},
		{Params: m{"operation": "custom", "prefix": "a", "suffix": "z", "timestamp": true, "short": true}, Check: matches("a-", "-1767323045000-z", 26)},
		{Params: m{"prefix": "x"}, Fails: fault.InvalidArgument, Says: "prefix"},
		{Params: m{"short": true}, Fails: fault.InvalidArgument},
		{Params: m{"operation": "validate", "uuid": dns}, Want: m{"valid": true, "version": "v5"}},
		{Params: m{"operation": "validate", "uuid": "{" + dns + "}"}, Want: m{"valid": true, "normalized": dns}},
		{Params: m{"operation": "validate", "uuid": "nope"}, Verdict: m{"valid": false}},
		{Params: m{"operation": "validate"}, Fails: fault.InvalidArgument, Says: "uuid"},
		{Params: m{"uuid": dns}, Fails: fault.InvalidArgument},
	})
}

func TestDatetime(t *testing.T) {
	t.Parallel()
	add := func(input string, amount any, unit, want string) tooltest.Case {
		return tooltest.Case{Params: m{"operation": "add", "input": input, "amount": amount, "unit": unit}, Want: m{"result": want}}
	}
	parse := func(input, utc string) tooltest.Case {
		return tooltest.Case{Params: m{"input": input}, Want: m{"utc": utc}}
	}
	diff := func(start, end string, want m) tooltest.Case {
		return tooltest.Case{Params: m{"operation": "difference", "start": start, "end": end}, Want: want}
	}
	cases := []tooltest.Case{
		{Params: m{"operation": "now"}, Want: m{"datetime": "2026-01-02T03:04:05Z", "timestamp": int64(1767323045), "timezone": "UTC", "format": "RFC3339"}},
		{Params: m{"operation": "now", "timezone": "Asia/Tokyo", "format": "%d.%m.%Y %H:%M %Z"}, Want: m{"datetime": "02.01.2026 12:04 JST"}},
		{Params: m{"operation": "now", "format": "RFC 2822"}, Want: m{"datetime": "Fri, 02 Jan 2026 03:04:05 +0000"}},
		{Params: m{"operation": "now", "timezone": "Local"}, Fails: fault.InvalidArgument},
		{Params: m{"operation": "now", "timezone": "Mars/Base"}, Fails: fault.InvalidArgument, Says: "Mars/Base"},
		{Params: m{"operation": "now", "timezone": "../etc/passwd"}, Fails: fault.InvalidArgument},
		parse("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00Z"), parse("2026-03-01 10:00:00.25", "2026-03-01T10:00:00.25Z"), parse("2026-03-01", "2026-03-01T00:00:00Z"),
		parse("1767323045", "2026-01-02T03:04:05Z"), parse("1767323045123", "2026-01-02T03:04:05.123Z"), parse("20260301", "2026-03-01T00:00:00Z"),
		parse("Fri, 2 Jan 2026 03:04:05 +0100", "2026-01-02T02:04:05Z"), parse("January 5, 2026", "2026-01-05T00:00:00Z"), parse("24.12.2025", "2025-12-24T00:00:00Z"),
		{Params: m{"input": "2026-07-01 12:00", "timezone": "Europe/Paris", "format": "%H"}, Want: m{"utc": "2026-07-01T10:00:00Z", "formatted": "12", "format_used": "%Y-%m-%d %H:%M"}},
		{Params: m{"input": "2026-03-01T10:11:12Z"}, Check: func(t *testing.T, r tool.Result) {
			p := r.Result.(m)["parsed"].(m)
			if p["year"] != int64(2026) || p["minute"] != int64(11) || p["timestamp"] != int64(1772359872) {
				t.Errorf("parsed %v", p)
			}
		}},
		{Params: m{"input": "tomorrow"}, Fails: fault.ToolFailed, Says: "tomorrow"},
		{Params: m{"input": "2026-02-30"}, Fails: fault.ToolFailed},
		{Params: m{}, Fails: fault.InvalidArgument, Says: "input"},
		{Params: m{"operation": "convert_timezone", "input": "2026-07-01T12:00:00Z", "target_timezone": "America/New_York"}, Want: m{"result": "2026-07-01T08:00:00-04:00", "timezone": "America/New_York"}},
		{Params: m{"operation": "convert_timezone", "input": "2026-07-01T12:00:00Z"}, Fails: fault.InvalidArgument},
		add("2026-01-31", int64(1), "months", "2026-02-28T00:00:00Z"), add("2024-02-29", int64(1), "years", "2025-02-28T00:00:00Z"),
		add("2026-01-01", 1.5, "days", "2026-01-02T12:00:00Z"), add("2026-01-01", int64(-2), "weeks", "2025-12-18T00:00:00Z"), add("2026-01-01", 0.5, "seconds", "2026-01-01T00:00:00.5Z"),
		add("2026-01-01", int64(90), "minutes", "2026-01-01T01:30:00Z"), add("2026-12-15", int64(2), "months", "2027-02-15T00:00:00Z"),
		{Params: m{"operation": "add", "input": "2026-03-28 12:00", "timezone": "Europe/Paris", "amount": int64(1), "unit": "days"}, Want: m{"result": "2026-03-29T12:00:00+02:00", "original": "2026-03-28T12:00:00+01:00"}},
		{Params: m{"operation": "subtract", "input": "2026-03-31", "amount": int64(1), "unit": "months"}, Want: m{"result": "2026-02-28T00:00:00Z"}},
		{Params: m{"operation": "add", "input": "2026-01-01", "amount": 1.5, "unit": "months"}, Fails: fault.InvalidArgument},
		{Params: m{"operation": "add", "input": "2026-01-01", "amount": int64(9000), "unit": "years"}, Fails: fault.ToolFailed, Says: "9999"},
		{Params: m{"operation": "add", "input": "2026-01-01", "amount": 1e18, "unit": "seconds"}, Fails: fault.InvalidArgument},
		{Params: m{"operation": "add", "input": "2026-01-01"}, Fails: fault.InvalidArgument, Says: "amount"},
		diff("2026-01-01", "2026-01-03T04:05:06Z", m{"total_seconds": int64(187506), "days": int64(2), "hours": int64(4), "minutes": int64(5), "human_readable": "2 days, 4 hours, 5 minutes, 6 seconds"}),
		diff("2026-01-02", "2026-01-01", m{"total_seconds": int64(-86400), "days": int64(-1), "human_readable": "-1 day"}),
		diff("2026-01-01", "2026-01-01T00:00:00.5Z", m{"total_seconds": 0.5}), diff("0001-01-01", "9999-12-31", m{"days": int64(3652058)}),
		{Params: m{"operation": "difference", "start": "2026-01-01"}, Fails: fault.InvalidArgument, Says: "end"},
		{Params: m{"operation": "info"}, Want: m{"weekday": "Friday", "day_of_year": int64(2), "quarter": int64(1), "is_leap_year": false, "is_weekend": false, "iso_week": int64(1)}},
		{Params: m{"operation": "info", "input": "2024-02-10"}, Want: m{"is_leap_year": true, "is_weekend": true, "days_in_month": int64(29)}},
		{Params: m{"operation": "formats"}, Check: func(t *testing.T, r tool.Result) {
			for _, f := range r.Result.(m)["formats"].([]any) {
				example := f.(m)["example"].(string)
				got, _, ok := parseTime(example, time.UTC)
				if !ok || got.UTC().Format("2006-01-02") != "2026-01-02" {
					t.Errorf("%v: %v, %v", f, got, ok)
				}
			}
		}},
	}
	tooltest.Run(t, NewDatetime(), cases)
}

func FuzzParseTime(f *testing.F) {
	for _, x := range formats {
		f.Add(tooltest.Clock.Format(x.layout))
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, used, ok := parseTime(s, time.UTC); ok && (used == "" || got.Year() < 1) {
			t.Errorf("%q gives %v in %q", s, got, used)
		}
	})
}
