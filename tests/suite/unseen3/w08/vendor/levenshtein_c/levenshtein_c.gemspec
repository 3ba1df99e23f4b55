Gem::Specification.new do |s|
  s.name = "levenshtein_c"
  s.version = "0.1.2"
  s.summary = "Edit distance, in C"
  s.authors = ["the dictionary team"]
  s.files = Dir["lib/**/*.rb", "ext/**/*.{c,rb}"]
  s.extensions = ["ext/levenshtein_c/extconf.rb"]
  s.license = "Nonstandard"
end
