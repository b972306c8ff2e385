package vector_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/ragstone/ragstone/vector"
)

// inTemp opens a database in a folder that the example removes.
func inTemp() (*vector.DB, func()) {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	db, err := vector.Open(dir, vector.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return db, func() {
		db.Close()
		os.RemoveAll(dir)
	}
}

func Example() {
	ctx := context.Background()
	db, done := inTemp() // db, err := vector.Open("films.db", vector.Options{})
	defer done()
	films, err := db.Collection("films", vector.Dense(2, vector.Cosine))
	if err != nil {
		log.Fatal(err)
	}
	err = films.Upsert(ctx,
		vector.Point{ID: vector.Num(1), Vector: []float32{0.9, 0.1}, Payload: vector.Payload{"title": "Metropolis", "year": 1927}},
		vector.Point{ID: vector.Num(2), Vector: []float32{0.8, 0.3}, Payload: vector.Payload{"title": "Alphaville", "year": 1965}},
		vector.Point{ID: vector.Num(3), Vector: []float32{0.1, 0.9}, Payload: vector.Payload{"title": "Sunrise", "year": 1927}},
	)
	if err != nil {
		log.Fatal(err)
	}
	result, err := films.Search(ctx, vector.Query{Vector: []float32{1, 0.2}, K: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range result.Hits {
		fmt.Printf("%.3f %s\n", hit.Score, hit.Payload["title"])
	}
	// Output:
	// 0.996 Metropolis
	// 0.987 Alphaville
}

func ExampleFilter() {
	ctx := context.Background()
	db, done := inTemp()
	defer done()
	schema := vector.Dense(1, vector.L2)
	schema.Payload = map[string]vector.PayloadIndex{"year": vector.NumberIndex, "genres": vector.KeywordIndex}
	films, err := db.Collection("films", schema)
	if err != nil {
		log.Fatal(err)
	}
	err = films.Upsert(ctx,
		vector.Point{ID: vector.Str("metropolis"), Vector: []float32{1}, Payload: vector.Payload{"year": 1927, "genres": []string{"drama", "science fiction"}}},
		vector.Point{ID: vector.Str("alphaville"), Vector: []float32{2}, Payload: vector.Payload{"year": 1965, "genres": []string{"science fiction"}}},
		vector.Point{ID: vector.Str("sunrise"), Vector: []float32{3}, Payload: vector.Payload{"year": 1927, "genres": []string{"drama"}}},
	)
	if err != nil {
		log.Fatal(err)
	}
	filter := vector.All(
		vector.Range{Key: "year", LT: 1960},
		vector.Not(vector.Match{Key: "genres", Value: "science fiction"}),
	)
	result, err := films.Search(ctx, vector.Query{Vector: []float32{0}, Filter: filter})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(result.Hits[0].ID, result.Plan.Matched, "of", result.Plan.Points)
	// Output: sunrise 1 of 3
}

// One query may ask by meaning and by words; the answer says where each part
// placed a hit.
func ExampleQuery_hybrid() {
	ctx := context.Background()
	db, done := inTemp()
	defer done()
	notes, err := db.Collection("notes", vector.Schema{
		Vectors:  map[string]vector.VectorSpec{"": {Dimensions: 2}},
		Keywords: map[string]vector.KeywordSpec{"text": {Keys: []string{"text"}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	err = notes.Upsert(ctx,
		vector.Point{ID: vector.Str("a"), Vector: []float32{1, 0}, Payload: vector.Payload{"text": "whales sing"}},
		vector.Point{ID: vector.Str("b"), Vector: []float32{0.9, 0.2}, Payload: vector.Payload{"text": "dolphins whistle"}},
		vector.Point{ID: vector.Str("c"), Vector: []float32{0, 1}, Payload: vector.Payload{"text": "error E1234"}},
	)
	if err != nil {
		log.Fatal(err)
	}
	result, err := notes.Search(ctx, vector.Query{
		Parts: []vector.Part{
			{Vector: []float32{1, 0.1}},
			{Text: "E1234", Using: "text", Weight: 2},
		},
		Fusion: vector.Fusion{Method: vector.RRF},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, hit := range result.Hits {
		fmt.Println(hit.ID, "by vector:", hit.Parts[0].Rank, "by words:", hit.Parts[1].Rank)
	}
	// Output:
	// c by vector: 3 by words: 1
	// a by vector: 1 by words: 0
	// b by vector: 2 by words: 0
}

func ExampleCollection_Snapshot() {
	ctx := context.Background()
	db, done := inTemp()
	defer done()
	c, err := db.Collection("numbers", vector.Dense(1, vector.L2))
	if err != nil {
		log.Fatal(err)
	}
	c.Upsert(ctx, vector.Point{ID: vector.Num(1), Vector: []float32{1}})
	before, err := c.Snapshot()
	if err != nil {
		log.Fatal(err)
	}
	defer before.Close()
	c.Upsert(ctx, vector.Point{ID: vector.Num(2), Vector: []float32{2}})

	then, _ := before.Count(ctx, "", nil)
	now, _ := c.Count(ctx, "", nil)
	fmt.Println(then, now)
	// Output: 1 2
}
