// clock tells the local time of a moment in a zone, and how many authorities the machine trusts.
package main

import (
	"crypto/x509"
	"fmt"
	"os"
	"time"
)

func main() {
	if os.Args[1] == "trust" {
		pool, err := x509.SystemCertPool()
		if err != nil || pool.Equal(x509.NewCertPool()) {
			fmt.Println("trusts nobody")
			os.Exit(1)
		}
		fmt.Println("trusts somebody")
		return
	}
	zone, err := time.LoadLocation(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Println(time.Unix(1700000000, 0).In(zone).Format(time.RFC3339))
}
