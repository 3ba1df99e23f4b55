require "mkmf"

have_library("m")
create_makefile("levenshtein_c/levenshtein_c")
