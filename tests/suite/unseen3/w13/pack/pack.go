// Package pack weighs parcels with zlib.
package pack

// #cgo LDFLAGS: -lz
// #include <stdlib.h>
// #include <zlib.h>
import "C"
import "unsafe"

// Checksum is the CRC-32 of a text.
func Checksum(text string) uint32 {
	data := C.CString(text)
	defer C.free(unsafe.Pointer(data))
	return uint32(C.crc32(0, (*C.Bytef)(unsafe.Pointer(data)), C.uInt(len(text))))
}

// Size is what a text takes when compressed.
func Size(text string) int {
	data := C.CString(text)
	defer C.free(unsafe.Pointer(data))
	size := C.compressBound(C.uLong(len(text)))
	out := C.malloc(C.size_t(size))
	defer C.free(out)
	C.compress((*C.Bytef)(out), &size, (*C.Bytef)(unsafe.Pointer(data)), C.uLong(len(text)))
	return int(size)
}
