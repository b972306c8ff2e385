package gguf

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// KV is one metadata value to write. Value is a bool, string, float32,
// float64, an integer of a fixed width, or a slice of one of them.
type KV struct {
	Key   string
	Value any
}

// Write writes a file of version 3 with tensors in the given order, at the
// alignment that a uint32 value for "general.alignment" in meta asks for, else
// 32. Each tensor's data must have the size of its shape and type.
func Write(w io.Writer, meta []KV, tensors []Tensor) error {
	alignment := defaultAlignment
	for _, kv := range meta {
		if a, ok := kv.Value.(uint32); ok && kv.Key == alignmentKey {
			if a == 0 || a > maxAlignment || a&(a-1) != 0 {
				return fmt.Errorf("write GGUF: %s is %d, want a power of two up to %d", alignmentKey, a, maxAlignment)
			}
			alignment = int(a)
		}
	}
	var head bytes.Buffer
	head.WriteString("GGUF")
	put(&head, uint32(3))
	put(&head, uint64(len(tensors)))
	put(&head, uint64(len(meta)))
	for _, kv := range meta {
		putString(&head, kv.Key)
		if err := putValue(&head, kv.Value); err != nil {
			return fmt.Errorf("write GGUF: metadata key %q: %w", kv.Key, err)
		}
	}
	if err := putDescriptions(&head, tensors, alignment); err != nil {
		return fmt.Errorf("write GGUF: %w", err)
	}
	head.Write(make([]byte, padding(head.Len(), alignment)))

	out := bufio.NewWriter(w)
	out.Write(head.Bytes())
	for _, t := range tensors {
		out.Write(t.Data)
		out.Write(make([]byte, padding(len(t.Data), alignment)))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write GGUF: %w", err)
	}
	return nil
}

func putDescriptions(b *bytes.Buffer, tensors []Tensor, alignment int) error {
	offset := 0
	for _, t := range tensors {
		if size, ok := t.bytes(); !ok || size != len(t.Data) {
			return fmt.Errorf("tensor %q has %d bytes, its shape %v in type %s needs %d", t.Name, len(t.Data), t.Shape, t.Type, size)
		}
		putString(b, t.Name)
		put(b, uint32(len(t.Shape)))
		for _, d := range t.Shape {
			put(b, uint64(d))
		}
		put(b, uint32(t.Type))
		put(b, uint64(offset))
		offset += len(t.Data) + padding(len(t.Data), alignment)
	}
	return nil
}

// putValue writes a value behind its kind.
func putValue(b *bytes.Buffer, v any) error {
	kind, ok := kindOf(v)
	if ok {
		put(b, uint32(kind))
		putScalar(b, v)
		return nil
	}
	switch a := v.(type) {
	case []string:
		return putArray(b, a)
	case []bool:
		return putArray(b, a)
	case []uint8:
		return putArray(b, a)
	case []int8:
		return putArray(b, a)
	case []uint16:
		return putArray(b, a)
	case []int16:
		return putArray(b, a)
	case []uint32:
		return putArray(b, a)
	case []int32:
		return putArray(b, a)
	case []uint64:
		return putArray(b, a)
	case []int64:
		return putArray(b, a)
	case []float32:
		return putArray(b, a)
	case []float64:
		return putArray(b, a)
	}
	return fmt.Errorf("a %T has no kind in the format", v)
}

func putArray[T any](b *bytes.Buffer, a []T) error {
	var zero T
	kind, _ := kindOf(zero)
	put(b, uint32(KindArray))
	put(b, uint32(kind))
	put(b, uint64(len(a)))
	for _, v := range a {
		putScalar(b, v)
	}
	return nil
}

func kindOf(v any) (Kind, bool) {
	switch v.(type) {
	case uint8:
		return KindUint8, true
	case int8:
		return KindInt8, true
	case uint16:
		return KindUint16, true
	case int16:
		return KindInt16, true
	case uint32:
		return KindUint32, true
	case int32:
		return KindInt32, true
	case float32:
		return KindFloat32, true
	case bool:
		return KindBool, true
	case string:
		return KindString, true
	case uint64:
		return KindUint64, true
	case int64:
		return KindInt64, true
	case float64:
		return KindFloat64, true
	}
	return 0, false
}

func putScalar(b *bytes.Buffer, v any) {
	if s, ok := v.(string); ok {
		putString(b, s)
		return
	}
	put(b, v)
}

func putString(b *bytes.Buffer, s string) {
	put(b, uint64(len(s)))
	b.WriteString(s)
}

// put writes a number of fixed size; a bytes.Buffer takes it without error.
func put(b *bytes.Buffer, v any) { binary.Write(b, binary.LittleEndian, v) }

// padding is how many bytes lead from n to the next multiple of alignment.
func padding(n, alignment int) int { return (alignment - n%alignment) % alignment }
