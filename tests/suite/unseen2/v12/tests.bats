#!/usr/bin/env bats

@test "four letters have two bits" {
    run bash -c 'printf abcd | ./entropy'
    [ "$output" = 2.000 ]
}

@test "prices add up" {
    run bash -c 'printf "{\"p\":2.5}\n{\"p\":4}\n" | commands/total p'
    [ "$output" = 6.5 ]
}
