// Command ragstone answers questions from your documents and serves the
// OpenAI API from one binary. All behaviour lives in internal/cli.
package main

import (
	"os"

	"github.com/ragstone/ragstone/internal/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
