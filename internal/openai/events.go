package openai

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// EventReader reads a stream of server-sent events (WHATWG HTML, section 9.2)
// and returns the data of each; names, ids and comments are left out.
type EventReader struct {
	lines *bufio.Reader
	most  int
	data  []byte // of the event that is being read
	line  []byte // a line that is longer than the buffer
}

// lineBuffer holds most lines whole. It is small since every open stream has one.
const lineBuffer = 512

// NewEventReader reads events from r, of which none may have more than most
// bytes of data.
func NewEventReader(r io.Reader, most int) *EventReader {
	return &EventReader{lines: bufio.NewReaderSize(r, lineBuffer), most: most}
}

// Next returns the data of the next event, which is valid until Next is called
// again. The error is io.EOF at the end of the stream; an event that the end
// cuts off is dropped, as the standard wants.
func (e *EventReader) Next() ([]byte, error) {
	e.data = e.data[:0]
	begun := false
	for {
		line, err := e.nextLine()
		if err != nil {
			return nil, err
		}
		if len(line) == 0 && begun {
			return e.data, nil
		}
		data, ok := bytes.CutPrefix(line, []byte("data:"))
		if !ok {
			continue
		}
		if begun {
			e.data = append(e.data, '\n')
		}
		begun = true
		e.data = append(e.data, bytes.TrimPrefix(data, []byte(" "))...)
		if len(e.data) > e.most {
			return nil, e.tooLong()
		}
	}
}

// nextLine returns a line without its end.
func (e *EventReader) nextLine() ([]byte, error) {
	e.line = e.line[:0]
	for {
		part, err := e.lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if e.line = append(e.line, part...); len(e.line) > e.most+len("data: \r\n") {
				return nil, e.tooLong()
			}
			continue
		case err != nil:
			return nil, err
		}
		if len(e.line) > 0 {
			part = append(e.line, part...)
			e.line = part
		}
		return bytes.TrimSuffix(part[:len(part)-1], []byte("\r")), nil
	}
}

func (e *EventReader) tooLong() error {
	return fmt.Errorf("an event has more than %d bytes", e.most)
}
