package account

import (
	"encoding/json"
	"strings"
	"time"
)

// levels are a pool as servers share it.
type levels struct {
	At            time.Time // of all three
	Requests      level
	Tokens        level
	RequestsOfDay level
}

type level struct {
	Limit int
	Level float64
}

// name is the pool's among all pools of a database.
func (k poolKey) name() string {
	return strings.Join([]string{k.tenant.OrganizationID, k.tenant.ProjectID, k.kind, k.model}, " ")
}

// changed is a stored pool, full where there is none, after do has changed it.
func changed(stored []byte, r Rates, do func(*pool)) []byte {
	now := time.Now()
	p := fullPool(r, now)
	var l levels
	if json.Unmarshal(stored, &l) == nil { // else nobody has stored it
		p.requests.set(l.Requests, l.At)
		p.tokens.set(l.Tokens, l.At)
		p.daily.set(l.RequestsOfDay, l.At)
	}
	p.bring(now, r)
	do(p)
	stored, err := json.Marshal(levels{p.tokens.at, p.requests.stored(), p.tokens.stored(), p.daily.stored()})
	if err != nil {
		panic("account: levels of a pool are not finite: " + err.Error())
	}
	return stored
}

func (b *bucket) set(l level, at time.Time) { b.limit, b.level, b.at = l.Limit, l.Level, at }

func (b *bucket) stored() level { return level{b.limit, b.level} }
