module harbour.example/tide

go 1.23
