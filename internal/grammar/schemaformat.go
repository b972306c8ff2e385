package grammar

import (
	"maps"
	"slices"
	"strings"
)

// formats are the values of the keyword format, as regular expressions for the
// whole string. Each holds only strings that the format's specification
// allows; of the rare ones it leaves some out: leap seconds, quoted local
// parts of an address, and addresses and host names close to the longest.
var formats = map[string]string{
	"date":      fullDate,
	"time":      fullTime,
	"date-time": "(?:" + fullDate + ")T(?:" + fullTime + ")",
	"duration":  duration,
	"uuid":      `[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}`,
	"email":     `[a-zA-Z0-9!#$%&'*+/=?^_{|}~-]{1,32}(?:\.[a-zA-Z0-9!#$%&'*+/=?^_{|}~-]{1,14}){0,2}@` + hostname,
	"hostname":  hostname,
	"ipv4":      ipv4,
	"ipv6":      ipv6(),
}

func formatNames() []string { return slices.Sorted(maps.Keys(formats)) }

const (
	// fullDate is RFC 3339's full-date, with the days that each month has and
	// the years that have a 29 February.
	fullDate = `\d{4}-(?:` +
		`(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|` +
		`(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|` +
		`02-(?:0[1-9]|1\d|2[0-8]))|` +
		`(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29`

	// fullTime is RFC 3339's full-time.
	fullTime = `(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`

	// duration is RFC 3339, appendix A.
	duration = `P(?:\d{1,9}W|(?:` + durationDate + `)(?:T(?:` + durationTime + `))?|T(?:` + durationTime + `))`

	durationDate = `\d{1,9}Y(?:\d{1,9}M(?:\d{1,9}D)?)?|\d{1,9}M(?:\d{1,9}D)?|\d{1,9}D`
	durationTime = `\d{1,9}H(?:\d{1,9}M(?:\d{1,9}S)?)?|\d{1,9}M(?:\d{1,9}S)?|\d{1,9}S`

	// hostname is RFC 1123's, without two hyphens in a row, which mark encoded
	// names.
	hostname = `[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,30}(?:\.[a-zA-Z0-9](?:-?[a-zA-Z0-9]){0,30}){0,3}`

	octet = `(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`
	ipv4  = octet + `(?:\.` + octet + `){3}`
)

// ipv6 is RFC 4291, section 2.2: eight groups, of which one run of zeros may
// be "::" and the last two an IPv4 address.
func ipv6() string {
	const group = `[0-9a-fA-F]{1,4}`
	groups := func(n int) string {
		return strings.TrimSuffix(strings.Repeat(group+":", n), ":")
	}
	var forms []string
	for _, last := range []struct {
		text string
		size int
	}{{"", 0}, {ipv4, 2}} {
		full := groups(8 - last.size)
		if last.size > 0 {
			full += ":" + last.text
		}
		forms = append(forms, full)
		for before := 0; before+last.size <= 7; before++ {
			for after := 0; before+after+last.size <= 7; after++ {
				end := groups(after)
				if after > 0 && last.size > 0 {
					end += ":"
				}
				forms = append(forms, groups(before)+"::"+end+last.text)
			}
		}
	}
	return strings.Join(forms, "|")
}
