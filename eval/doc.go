// Package eval measures retrieval and answers.
//
// Retrieval: a Run (what a system ranked) is judged against Qrels (what people
// found relevant) by a Metric such as NDCG(10); Evaluate returns one number a
// query, and Mean their average, as trec_eval does. Answers: ExactMatch and F1
// with SQuAD's normalisation. Scores that should separate two classes: AUROC.
// Two systems on the same queries: PairedBootstrap.
//
// Functions are pure and safe for concurrent use; equal inputs give equal bits.
// The package judges only lists and strings: it runs no system itself.
package eval
