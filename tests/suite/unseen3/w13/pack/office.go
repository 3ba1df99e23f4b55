package pack

// #cgo LDFLAGS: -lsqlite3
// #include <stdlib.h>
// #include <sqlite3.h>
//
// static int bind(sqlite3_stmt *s, const char *text) { return sqlite3_bind_text(s, 1, text, -1, SQLITE_TRANSIENT); }
import "C"
import (
	"errors"
	"unsafe"
)

// Office is where parcels are taken.
type Office struct {
	Code, Town string
	Rate       float64
}

// Find looks an office up; nil: there is none of that code.
func Find(file, code string) (*Office, error) {
	name, wanted := C.CString(file), C.CString(code)
	query := C.CString("SELECT town, rate FROM office WHERE code = ?")
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(wanted))
	defer C.free(unsafe.Pointer(query))
	var db *C.sqlite3
	defer func() { C.sqlite3_close(db) }()
	if C.sqlite3_open_v2(name, &db, C.SQLITE_OPEN_READONLY, nil) != C.SQLITE_OK {
		return nil, errors.New(C.GoString(C.sqlite3_errmsg(db)))
	}
	var statement *C.sqlite3_stmt
	if C.sqlite3_prepare_v2(db, query, -1, &statement, nil) != C.SQLITE_OK {
		return nil, errors.New(C.GoString(C.sqlite3_errmsg(db)))
	}
	defer C.sqlite3_finalize(statement)
	C.bind(statement, wanted)
	if C.sqlite3_step(statement) != C.SQLITE_ROW {
		return nil, nil
	}
	town := C.GoString((*C.char)(unsafe.Pointer(C.sqlite3_column_text(statement, 0))))
	return &Office{code, town, float64(C.sqlite3_column_double(statement, 1))}, nil
}
