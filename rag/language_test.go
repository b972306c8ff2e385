package rag

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/ragstone/ragstone/internal/testenv"
)

func TestLanguages(t *testing.T) {
	for question, want := range map[string]string{
		"Where did the die fall?": "English",
		"leave days":              "English",
		"":                        "English",
		"Wie viele Tage Urlaub bekommt ein neuer Mitarbeiter?":       "German",
		"Was ist ein Segment?":                                       "German",
		"¿Cuántos días de vacaciones tiene un empleado nuevo?":       "Spanish",
		"Combien de jours de congé un nouvel employé a-t-il ?":       "French",
		"Quanti giorni di ferie ha un nuovo assunto?":                "Italian",
		"Quantos dias de férias tem um novo funcionário?":            "Portuguese",
		"Hoeveel vakantiedagen krijgt een nieuwe medewerker?":        "Dutch",
		"新员工有多少天假期？":                                                 "Chinese",
		"新入社員の休暇は何日ですか":                                              "English", // no language of ours
		"What does the Spanish word \"el\" in \"el que\" stand for?": "English",
	} {
		if got := languageOf(question).name; got != want {
			t.Errorf("languageOf(%q) = %s, want %s", question, got, want)
		}
	}
}

// TestLanguagesOfXQuAD tells the language of real questions: 1,190 in each.
func TestLanguagesOfXQuAD(t *testing.T) {
	for code, want := range map[string]string{"en": "English", "de": "German", "es": "Spanish", "zh": "Chinese"} {
		data, err := os.ReadFile(testenv.Shared(t, "data", "xquad", "xquad."+code+".json"))
		if err != nil {
			t.Fatal(err)
		}
		var file struct {
			Data []struct {
				Paragraphs []struct{ Qas []struct{ Question string } }
			}
		}
		if err := json.Unmarshal(data, &file); err != nil {
			t.Fatal(err)
		}
		wrong, total := 0, 0
		for _, article := range file.Data {
			for _, p := range article.Paragraphs {
				for _, qa := range p.Qas {
					total++
					if got := languageOf(qa.Question); got.name != want {
						wrong++
						t.Logf("%s: %q", got.name, qa.Question)
					}
				}
			}
		}
		if allowed := total / 100; want == "English" && wrong > 0 || wrong > allowed {
			t.Errorf("%d of %d questions in %s are taken for another language", wrong, total, want)
		}
	}
}

func TestKindsInOtherLanguages(t *testing.T) {
	for question, want := range map[string]answerKind{
		"Wie viele Bücher darf man ausleihen?": kindNumber,
		"Wann wurde die Brücke gebaut?":        kindNumber,
		"Wer hat die Brücke gebaut?":           kindName,
		"¿En qué año se construyó el puente?":  kindNumber,
		"¿Quién construyó el puente?":          kindName,
		"Warum wurde die Brücke gebaut?":       kindAny,
	} {
		if got := languageOf(question).kindOf(question); got != want {
			t.Errorf("%q asks for kind %v, want %v", question, got, want)
		}
	}
}
