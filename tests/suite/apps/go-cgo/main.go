package main

// #cgo LDFLAGS: -lsqlite3
// #include <sqlite3.h>
// #include <stdlib.h>
// static int count(sqlite3 *db) {
//     sqlite3_stmt *s; int n = -1;
//     if (sqlite3_prepare_v2(db, "select count(*) from note", -1, &s, 0) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
//         n = sqlite3_column_int(s, 0);
//     sqlite3_finalize(s);
//     return n;
// }
import "C"

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"
	"unsafe"
)

func main() {
	path := flag.String("db", "notes.db", "database")
	flag.Parse()
	name := C.CString(*path)
	defer C.free(unsafe.Pointer(name))
	var db *C.sqlite3
	if C.sqlite3_open(name, &db) != C.SQLITE_OK {
		log.Fatal("cannot open ", *path)
	}
	schema, err := os.ReadFile("schema.sql")
	if err != nil {
		log.Fatal(err)
	}
	run := func(sql string) bool {
		text := C.CString(sql)
		defer C.free(unsafe.Pointer(text))
		return C.sqlite3_exec(db, text, nil, nil, nil) == C.SQLITE_OK
	}
	if !run(string(schema)) {
		log.Fatal("bad schema")
	}
	var lock sync.Mutex
	http.HandleFunc("/add", func(w http.ResponseWriter, r *http.Request) {
		lock.Lock()
		defer lock.Unlock()
		run("insert into note values ('x')")
		fmt.Fprintln(w, int(C.count(db)))
	})
	http.HandleFunc("/count", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, int(C.count(db)))
	})
	log.Fatal(http.ListenAndServe(":8081", nil))
}
