// tidectl asks a running tided whether it is well: for use with docker exec.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func main() {
	reply, err := http.Get("http://localhost:8088/version")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer reply.Body.Close()
	io.Copy(os.Stdout, reply.Body)
}
