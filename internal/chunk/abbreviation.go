package chunk

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isAbbreviation tells whether the full stop after a word belongs to the word
// alone, given the word that follows. After Kiss and Strunk, "Unsupervised
// multilingual sentence boundary detection" (2006), section 4, the follower
// decides the doubtful cases: a word that mostly starts sentences makes the
// stop a boundary too. Their statistics are replaced by the short lists below.
func isAbbreviation(word, next string) bool {
	lower := strings.ToLower(word)
	first, _ := utf8.DecodeRuneInString(next)
	switch {
	case alwaysAbbreviated[lower]:
		return true
	case sometimesAbbreviated[lower], isInitials(word):
		return !startsSentences[next] && next != ""
	case beforeNumber[lower]:
		return unicode.IsNumber(first)
	}
	return false
}

// isOrdinal tells the day of a date in the languages that write it with a full
// stop: "1. Februar".
func isOrdinal(word, next string) bool {
	day, err := strconv.Atoi(word)
	return err == nil && day >= 1 && day <= 31 && months[next]
}

// isInitials tells "J" and "U.S", but not the pronoun "I".
func isInitials(word string) bool {
	if word == "I" {
		return false
	}
	for i, part := range strings.Split(word, ".") {
		r, size := utf8.DecodeRuneInString(part)
		if size == 0 || size < len(part) || !unicode.IsLetter(r) || i == 0 && !unicode.IsUpper(r) && !strings.Contains(word, ".") {
			return false
		}
	}
	return true
}

// set makes a set of the words of a list.
func set(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

var (
	// alwaysAbbreviated never end a sentence: something must follow them.
	alwaysAbbreviated = set(`mr mrs ms mx dr prof st sen rep gov gen col maj capt lt cmdr sgt cpl pvt adm hon rev fr
		messrs mme mlle mt ft vs v cf viz e.g i.e eg ie ca approx esp incl resp
		fig figs eq eqs eqn sec sect ch chap vol vols no nos nr art para par ref refs tab app ex ed eds trans pp
		bzw z.b d.h u.a vgl hr fr frau sr sra srta dra`)

	// sometimesAbbreviated may end one. What follows decides.
	sometimesAbbreviated = set(`inc co corp ltd llc plc bros jr sr esq etc al ph.d m.d b.a m.a m.sc b.sc d.c b.c a.d c.e
		b.c.e a.m p.m u.s u.k u.n e.u u.s.a u.s.s.r dept univ assn est ave blvd rd hwy op cit ibid`)

	// beforeNumber are abbreviations where a number follows and words
	// elsewhere.
	beforeNumber = set(`p jan feb mar apr jun jul aug sep sept oct nov dec s abs abb kap nos n art bd c`)

	// months are those of German, which has a capital for them.
	months = set(`Januar Jänner Februar März April Mai Juni Juli August September Oktober November Dezember
		Jan Feb Mär Apr Jun Jul Aug Sep Sept Okt Nov Dez`)

	// startsSentences are words that, with a capital, are rarely anything but
	// the first of a sentence.
	startsSentences = set(`The A An This That These Those There Here It Its He She They We You I His Her Their Our My
		In On At As By For From With Without After Before During Since Until Under Over Between Among Through Despite
		But And Or So Yet However Although Though While When Where If Because Thus Therefore Then Also Moreover
		Furthermore Meanwhile Nevertheless Today Now Most Many Some Several Both Each Every All Other Another One
		To Not No Yes What Who Which How Why Der Die Das Ein Eine Es Er Sie El La Los Las En Un Una`)
)
