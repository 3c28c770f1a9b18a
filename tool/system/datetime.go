package system

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"
	_ "time/tzdata" // zones on machines without a zone database

	"github.com/itchyny/timefmt-go"

	"github.com/llmspell/llmspell/fault"
	"github.com/llmspell/llmspell/tool"
)

// Datetime is the datetime-handler tool.
type Datetime struct{}

// NewDatetime returns the datetime-handler tool.
func NewDatetime() *Datetime { return &Datetime{} }

const stampFormat = "2006-01-02T15:04:05.000Z07:00"

var units = []string{"seconds", "minutes", "hours", "days", "weeks", "months", "years"}

func (*Datetime) Spec() tool.Spec {
	return tool.Spec{
		Name: "datetime-handler", Version: "1.0.0", Category: "utility", Effect: tool.Read, ParallelSafe: true,
		Description: "Tells, parses, converts and computes with dates and times.",
		Tags:        []string{"date", "time", "timezone"},
		Params: []tool.Param{
			{Name: "operation", Type: "string", Enum: []string{"parse", "now", "convert_timezone", "add", "subtract", "difference", "info", "formats"},
				Default: "parse", Description: "what to do"},
			{Name: "input", Type: "string", Description: "the date and time; of info, default now"},
			{Name: "start", Type: "string", Description: "difference: from"},
			{Name: "end", Type: "string", Description: "difference: to"},
			{Name: "timezone", Type: "string", Default: "UTC", Description: "IANA zone of now, and of input without one"},
			{Name: "target_timezone", Type: "string", Description: "convert_timezone: IANA zone"},
			{Name: "amount", Type: "number", Description: "add, subtract: how many units; whole for months and years"},
			{Name: "unit", Type: "string", Enum: units, Description: "add, subtract: unit of amount"},
			{Name: "format", Type: "string", Description: "of the output: RFC3339 (default), RFC2822, or a strftime pattern such as %Y-%m-%d"},
		},
	}
}

// call is one request with its zone.
type call struct {
	env    *tool.Env
	params map[string]any
	zone   *time.Location
	format string
}

func (*Datetime) Execute(ctx context.Context, p map[string]any) (tool.Result, error) {
	op := p["operation"].(string)
	zone, err := loadZone("timezone", p["timezone"].(string))
	if err != nil {
		return tool.Result{}, err
	}
	c := &call{env: tool.EnvOf(ctx), params: p, zone: zone}
	c.format, _ = p["format"].(string)
	if len(c.format) > 1000 {
		return tool.Result{}, invalid("format", "the format is longer than 1000 bytes")
	}
	var data map[string]any
	primary := ""
	switch op {
	case "now":
		t := c.env.Now().In(zone)
		data = map[string]any{"datetime": c.write(t), "timestamp": t.Unix(), "timezone": zone.String(), "format": c.formatName()}
		primary = "datetime"
	case "parse":
		data, err = c.parse()
		primary = "utc"
	case "convert_timezone":
		data, err = c.convert()
		primary = "result"
	case "add", "subtract":
		data, err = c.add(op == "subtract")
		primary = "result"
	case "difference":
		data, err = c.difference()
		primary = "total_seconds"
	case "info":
		data, err = c.info()
		primary = "datetime"
	case "formats":
		data, primary = map[string]any{"formats": formatList(c.env.Now().UTC())}, "formats"
	}
	if err != nil {
		return tool.Result{}, err
	}
	return tool.OK(op, primary, data), nil
}

func invalid(field, format string, args ...any) error {
	return fault.Errorf(fault.InvalidArgument, "datetime-handler: "+format, args...).WithDetail("field", field)
}

func loadZone(field, name string) (*time.Location, error) {
	if name == "Local" || name == "" { // the machine's zone is no input of a run
		return nil, invalid(field, "unknown time zone %q", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, invalid(field, "unknown time zone %.100q", name).(*fault.Error).WithHint("use an IANA name such as Europe/Paris")
	}
	return zone, nil
}

func (c *call) formatName() string {
	if c.format == "" {
		return "RFC3339"
	}
	return c.format
}

// write formats t; without a format fractions appear only if there are any.
func (c *call) write(t time.Time) string {
	switch strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(c.format)) {
	case "", "RFC3339", "ISO8601":
		return t.Format("2006-01-02T15:04:05.999999999Z07:00")
	case "RFC2822":
		return t.Format(time.RFC1123Z)
	}
	return timefmt.Format(t, c.format)
}

// read parses the time in parameter name.
func (c *call) read(name string) (time.Time, string, error) {
	s, ok := c.params[name].(string)
	if !ok {
		return time.Time{}, "", invalid(name, "%s needs %q", c.params["operation"], name)
	}
	t, used, ok := parseTime(s, c.zone)
	if !ok {
		return t, "", fault.Errorf(fault.ToolFailed, "datetime-handler: %s: %.100q is no date in a known format", name, s).
			WithHint(`operation "formats" lists them`)
	}
	return t, used, nil
}

func (c *call) parse() (map[string]any, error) {
	t, used, err := c.read("input")
	if err != nil {
		return nil, err
	}
	data := map[string]any{"utc": t.UTC().Format("2006-01-02T15:04:05.999999999Z07:00"), "parsed": parts(t), "format_used": used, "timezone": c.zone.String()}
	if c.format != "" {
		data["formatted"] = c.write(t)
	}
	return data, nil
}

func parts(t time.Time) map[string]any {
	return map[string]any{
		"timestamp": t.Unix(), "year": int64(t.Year()), "month": int64(t.Month()), "day": int64(t.Day()),
		"hour": int64(t.Hour()), "minute": int64(t.Minute()), "second": int64(t.Second()), "millisecond": int64(t.Nanosecond() / 1e6),
	}
}

func (c *call) convert() (map[string]any, error) {
	t, _, err := c.read("input")
	if err != nil {
		return nil, err
	}
	name, ok := c.params["target_timezone"].(string)
	if !ok {
		return nil, invalid("target_timezone", `convert_timezone needs "target_timezone"`)
	}
	zone, err := loadZone("target_timezone", name)
	if err != nil {
		return nil, err
	}
	return map[string]any{"result": c.write(t.In(zone)), "original": c.write(t), "timezone": zone.String(), "timestamp": t.Unix()}, nil
}

func (c *call) add(back bool) (map[string]any, error) {
	t, _, err := c.read("input")
	if err != nil {
		return nil, err
	}
	unit, hasUnit := c.params["unit"].(string)
	amount, hasAmount := number(c.params["amount"])
	if !hasUnit || !hasAmount {
		return nil, invalid("amount", `%s needs "amount" and "unit"`, c.params["operation"])
	}
	if back {
		amount = -amount
	}
	moved, err := shift(t, amount, unit)
	if err != nil {
		return nil, err
	}
	return map[string]any{"result": c.write(moved), "original": c.write(t), "timestamp": moved.Unix()}, nil
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// shift moves t by days, months and years of the calendar and by seconds of the
// clock. The 31st plus a month is the last day of that month.
func shift(t time.Time, amount float64, unit string) (time.Time, error) {
	if math.IsNaN(amount) || math.Abs(amount) > 1e10 {
		return t, invalid("amount", "amount is out of range")
	}
	whole := amount == math.Trunc(amount)
	switch unit {
	case "years", "months":
		if !whole || math.Abs(amount) > 120_000 {
			return t, invalid("amount", "%s take a whole amount up to 120000", unit)
		}
		months := int(amount)
		if unit == "years" {
			months *= 12
		}
		first := time.Date(t.Year(), t.Month()+time.Month(months), 1, 0, 0, 0, 0, t.Location())
		last := first.AddDate(0, 1, -1).Day()
		t = time.Date(first.Year(), first.Month(), min(t.Day(), last), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	case "days", "weeks":
		if unit == "weeks" {
			amount *= 7
		}
		if whole && amount == math.Trunc(amount) && math.Abs(amount) < 4e6 {
			t = t.AddDate(0, 0, int(amount))
			break
		}
		return shift(t, amount*24, "hours")
	default:
		seconds := amount * map[string]float64{"seconds": 1, "minutes": 60, "hours": 3600}[unit]
		if math.Abs(seconds) > 4e11 {
			return t, invalid("amount", "amount is out of range")
		}
		sec, frac := math.Modf(seconds)
		t = time.Unix(t.Unix()+int64(sec), int64(t.Nanosecond())+int64(math.Round(frac*1e9))).In(t.Location())
	}
	if t.Year() < 1 || t.Year() > 9999 {
		return t, fault.Errorf(fault.ToolFailed, "datetime-handler: the result is outside the years 1 to 9999")
	}
	return t, nil
}

func (c *call) difference() (map[string]any, error) {
	start, _, err := c.read("start")
	if err != nil {
		return nil, err
	}
	end, _, err := c.read("end")
	if err != nil {
		return nil, err
	}
	seconds := end.Unix() - start.Unix() // a time.Duration holds 292 years only
	data := map[string]any{
		"total_seconds": seconds, "days": seconds / 86400, "hours": seconds % 86400 / 3600, "minutes": seconds % 3600 / 60,
		"human_readable": human(seconds), "start": c.write(start), "end": c.write(end),
	}
	if nanos := end.Nanosecond() - start.Nanosecond(); nanos != 0 {
		data["total_seconds"] = float64(seconds) + float64(nanos)/1e9
	}
	return data, nil
}

func human(seconds int64) string {
	if seconds == 0 {
		return "0 seconds"
	}
	sign := ""
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	var out []string
	for _, u := range []struct {
		n    int64
		name string
	}{{seconds / 86400, "day"}, {seconds % 86400 / 3600, "hour"}, {seconds % 3600 / 60, "minute"}, {seconds % 60, "second"}} {
		switch {
		case u.n == 1:
			out = append(out, "1 "+u.name)
		case u.n > 1:
			out = append(out, fmt.Sprintf("%d %ss", u.n, u.name))
		}
	}
	return sign + strings.Join(out, ", ")
}

func (c *call) info() (map[string]any, error) {
	t := c.env.Now().In(c.zone)
	if _, given := c.params["input"]; given {
		var err error
		if t, _, err = c.read("input"); err != nil {
			return nil, err
		}
	}
	year, week := t.ISOWeek()
	leap := time.Date(t.Year(), 12, 31, 0, 0, 0, 0, time.UTC).YearDay() == 366
	name, offset := t.Zone()
	data := parts(t)
	for k, v := range map[string]any{
		"datetime": c.write(t), "weekday": t.Weekday().String(), "day_of_year": int64(t.YearDay()), "iso_year": int64(year), "iso_week": int64(week),
		"quarter": int64((t.Month()-1)/3 + 1), "is_leap_year": leap, "is_weekend": t.Weekday() == time.Saturday || t.Weekday() == time.Sunday,
		"days_in_month": int64(time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()), "timezone": c.zone.String(),
		"zone": name, "utc_offset_seconds": int64(offset),
	} {
		data[k] = v
	}
	return data, nil
}
