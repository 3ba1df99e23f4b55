require "levenshtein_c/levenshtein_c"
