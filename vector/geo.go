package vector

import (
	"fmt"
	"math"

	"github.com/ragstone/ragstone/vector/internal/payload"
)

// earthRadius is the mean radius of the earth in metres.
const earthRadius = 6371008.8

// place is a point on the earth, in degrees.
type place struct{ lat, lon float64 }

// placeOf reads {"lat": …, "lon": …}.
func placeOf(v payload.Value) (place, bool) {
	lat, ok := v.Member("lat")
	if !ok {
		return place{}, false
	}
	lon, ok := v.Member("lon")
	if !ok {
		return place{}, false
	}
	a, ok1 := lat.Number()
	b, ok2 := lon.Number()
	p := place{a.Float, b.Float}
	return p, ok1 && ok2 && p.valid()
}

func (p place) valid() bool {
	return p.lat >= -90 && p.lat <= 90 && p.lon >= -180 && p.lon <= 180
}

// distance is the great-circle distance in metres, by the haversine formula.
func (p place) distance(q place) float64 {
	const degree = math.Pi / 180
	dLat, dLon := (q.lat-p.lat)*degree, (q.lon-p.lon)*degree
	a := math.Pow(math.Sin(dLat/2), 2) + math.Cos(p.lat*degree)*math.Cos(q.lat*degree)*math.Pow(math.Sin(dLon/2), 2)
	return 2 * earthRadius * math.Asin(math.Min(1, math.Sqrt(a)))
}

// area is a condition on places. South and north bound what it holds for.
type area interface {
	holds(place) bool
	latitudes() (south, north float64)
	validate() error
}

func (c GeoRadius) holds(p place) bool { return place{c.Lat, c.Lon}.distance(p) <= c.Meters }

func (c GeoRadius) latitudes() (south, north float64) {
	degrees := c.Meters/earthRadius*180/math.Pi + 1e-9
	return c.Lat - degrees, c.Lat + degrees
}

func (c GeoRadius) validate() error {
	if p := (place{c.Lat, c.Lon}); !p.valid() || !(c.Meters >= 0) {
		return fmt.Errorf("radius on %q: %v m around latitude %v, longitude %v", c.Key, c.Meters, c.Lat, c.Lon)
	}
	return nil
}

func (c GeoBox) holds(p place) bool {
	if p.lat < c.South || p.lat > c.North {
		return false
	}
	if c.West > c.East {
		return p.lon >= c.West || p.lon <= c.East
	}
	return p.lon >= c.West && p.lon <= c.East
}

func (c GeoBox) latitudes() (south, north float64) { return c.South, c.North }

func (c GeoBox) validate() error {
	if !(place{c.North, c.East}).valid() || !(place{c.South, c.West}).valid() || c.South > c.North {
		return fmt.Errorf("box on %q: north %v, south %v, east %v, west %v", c.Key, c.North, c.South, c.East, c.West)
	}
	return nil
}

func compileArea(key string, a area) (matcher, error) {
	if err := a.validate(); err != nil {
		return nil, err
	}
	return leaves(key, func(v payload.Value) bool {
		p, ok := placeOf(v)
		return ok && a.holds(p)
	})
}

func (c GeoRadius) compile() (matcher, error) { return compileArea(c.Key, c) }
func (c GeoBox) compile() (matcher, error)    { return compileArea(c.Key, c) }
