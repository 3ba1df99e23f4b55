exec server
