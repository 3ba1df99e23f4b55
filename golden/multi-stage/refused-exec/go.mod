module example.com/run
