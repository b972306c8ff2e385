module github.com/ragstone/ragstone/internal/kernel/_asm

go 1.26
