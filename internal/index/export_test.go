package index

import (
	"encoding/binary"
	"hash/crc32"
)

// PutChecksum writes the checksum of a file's body as its trailer has it.
func PutChecksum(trailer, body []byte) {
	binary.LittleEndian.PutUint32(trailer, crc32.Checksum(body, castagnoli))
}
