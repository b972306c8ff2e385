package config

import (
	"fmt"
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// value is how a setting is read from text and written as text. What get
// returns, set takes.
type value struct {
	set    func(c *Config, text string) error
	get    func(c *Config) string
	isPath bool // relative to the folder of the file that names it
}

func text(field func(*Config) *string) value {
	return value{
		set: func(c *Config, text string) error { *field(c) = text; return nil },
		get: func(c *Config) string { return *field(c) },
	}
}

func path(field func(*Config) *string) value {
	v := text(field)
	v.isPath = true
	return v
}

// checked is text that must pass a check, which may tidy it.
func checked(field func(*Config) *string, check func(string) (string, error)) value {
	v := text(field)
	v.set = func(c *Config, text string) error {
		tidy, err := check(text)
		if err == nil {
			*field(c) = tidy
		}
		return err
	}
	return v
}

func oneOf(field func(*Config) *string, words ...string) value {
	return checked(field, func(text string) (string, error) {
		if !slices.Contains(words, text) {
			return "", fmt.Errorf("want %s or %s", strings.Join(words[:len(words)-1], ", "), words[len(words)-1])
		}
		return text, nil
	})
}

func number(low, high int, field func(*Config) *int) value {
	return value{
		set: func(c *Config, text string) error {
			n, err := strconv.Atoi(text)
			switch {
			case (err != nil || n < low || n > high) && high == math.MaxInt32:
				return fmt.Errorf("want a number from %d on", low)
			case err != nil || n < low || n > high:
				return fmt.Errorf("want a number from %d to %d", low, high)
			}
			*field(c) = n
			return nil
		},
		get: func(c *Config) string { return strconv.Itoa(*field(c)) },
	}
}

func fraction(field func(*Config) *float64) value {
	return value{
		set: func(c *Config, text string) error {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil || !(f >= 0 && f <= 1) {
				return fmt.Errorf("want a number from 0 to 1, such as 0.1")
			}
			*field(c) = f
			return nil
		},
		get: func(c *Config) string { return strconv.FormatFloat(*field(c), 'g', -1, 64) },
	}
}

func toggle(field func(*Config) *bool) value {
	return value{
		set: func(c *Config, text string) error {
			if text != "true" && text != "false" {
				return fmt.Errorf("want true or false")
			}
			*field(c) = text == "true"
			return nil
		},
		get: func(c *Config) string { return strconv.FormatBool(*field(c)) },
	}
}

// presence is true once it is set to anything.
func presence(field func(*Config) *bool) value {
	v := toggle(field)
	v.set = func(c *Config, _ string) error { *field(c) = true; return nil }
	return v
}

// modelName takes a name or path; the word none means no model.
func modelName(field func(*Config) *string) value {
	return value{
		set: func(c *Config, text string) error {
			if text == "none" {
				text = ""
			}
			*field(c) = text
			return nil
		},
		get: func(c *Config) string {
			if *field(c) == "" {
				return "none"
			}
			return *field(c)
		},
	}
}

func size(low int64, field func(*Config) *int64) value {
	return value{
		set: func(c *Config, text string) error {
			n, err := humanize.ParseBytes(text)
			if err != nil || n > math.MaxInt64 || strings.HasPrefix(text, "-") || int64(n) < low {
				return fmt.Errorf("want an amount of memory such as 2GB or 1.5GiB; a number alone is bytes")
			}
			*field(c) = int64(n)
			return nil
		},
		get: func(c *Config) string { return sizeText(*field(c)) },
	}
}

// sizeText writes a size in the largest binary unit that has it whole.
func sizeText(n int64) string {
	for _, unit := range []struct {
		bytes int64
		name  string
	}{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n > 0 && n%unit.bytes == 0 {
			return strconv.FormatInt(n/unit.bytes, 10) + unit.name
		}
	}
	return strconv.FormatInt(n, 10)
}

func duration(low time.Duration, field func(*Config) *time.Duration) value {
	return value{
		set: func(c *Config, text string) error {
			d, err := time.ParseDuration(text)
			if err != nil || d < low {
				return fmt.Errorf("want a duration such as 90s, 10m or 2h")
			}
			*field(c) = d
			return nil
		},
		get: func(c *Config) string { return durationText(*field(c)) },
	}
}

// durationText is a duration without the units of which it has none: 10m, not
// 10m0s.
func durationText(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	if text == "0s" {
		return "0"
	}
	return text
}

func hostPort(field func(*Config) *string) value {
	return checked(field, func(text string) (string, error) {
		_, port, err := net.SplitHostPort(text)
		if n, bad := strconv.Atoi(port); err != nil || bad != nil || n < 0 || n > 65535 {
			return "", fmt.Errorf("want HOST:PORT, such as 127.0.0.1:8080 or :8080 for every address of this machine")
		}
		return text, nil
	})
}

// webAddress is a URL of HTTP such as example, kept without a slash at its end.
func webAddress(example string, field func(*Config) *string) value {
	return checked(field, func(text string) (string, error) {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return "", fmt.Errorf("want a URL such as %s", example)
		}
		return strings.TrimRight(text, "/"), nil
	})
}

// webAddresses are URLs of HTTP, with commas between.
func webAddresses(field func(*Config) *[]string) value {
	return value{
		set: func(c *Config, text string) error {
			var list []string
			for _, address := range strings.Split(text, ",") {
				address = strings.TrimSpace(address)
				u, err := url.Parse(address)
				if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
					return fmt.Errorf("want URLs such as https://ops.example.com/budgets, with commas between")
				}
				list = append(list, address)
			}
			*field(c) = list
			return nil
		},
		get: func(c *Config) string { return strings.Join(*field(c), ",") },
	}
}

// blobURL names a folder or a bucket.
func blobURL(field func(*Config) *string) value {
	return checked(field, func(text string) (string, error) {
		u, err := url.Parse(text)
		switch {
		case err != nil || u.Scheme != "file" && u.Scheme != "s3" || u.Scheme == "file" && u.Path == "" || u.Scheme == "s3" && u.Host == "":
			return "", fmt.Errorf("want a URL such as file:///FOLDER or s3://BUCKET?region=REGION")
		case u.User != nil:
			return "", fmt.Errorf("want a URL without a user: credentials for S3 go where AWS's own programs take them, such as AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
		}
		return text, nil
	})
}

// origins are what browsers call pages of one scheme, host and port (RFC 6454).
func origins(field func(*Config) *[]string) value {
	return value{
		set: func(c *Config, text string) error {
			var list []string
			for _, origin := range strings.Split(text, ",") {
				origin = strings.TrimSpace(origin)
				u, err := url.Parse(origin)
				if origin != "*" && (err != nil || u.Scheme == "" || u.Host == "" || origin != u.Scheme+"://"+u.Host) {
					return fmt.Errorf("want origins such as https://app.example.com, without a path and with commas between, or *")
				}
				list = append(list, origin)
			}
			*field(c) = list
			return nil
		},
		get: func(c *Config) string { return strings.Join(*field(c), ",") },
	}
}

// headers are NAME=VALUE, with commas between.
func headers(field func(*Config) *string) value {
	return checked(field, func(text string) (string, error) {
		for _, pair := range strings.Split(text, ",") {
			name, _, ok := strings.Cut(pair, "=")
			if !ok || strings.TrimSpace(name) == "" {
				return "", fmt.Errorf("want NAME=VALUE, with commas between")
			}
		}
		return text, nil
	})
}

func databaseURL(field func(*Config) *string) value {
	return checked(field, func(text string) (string, error) {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" || u.Host == "" && u.RawQuery == "" {
			return "", fmt.Errorf("want a URL such as postgres://user@host:5432/ragstone")
		}
		return text, nil
	})
}

// redactURL is a URL without its password; a text that is no URL is shown not at
// all.
func redactURL(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return masked
	}
	if q := u.Query(); q.Has("password") {
		q.Set("password", masked)
		u.RawQuery = q.Encode()
		return u.Redacted()
	}
	if _, has := u.User.Password(); !has {
		return text
	}
	return u.Redacted()
}
