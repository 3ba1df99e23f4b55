require "erb"
require "json"
require "optparse"
require "socket"
require "uri"
require "yaml"
require "levenshtein_c"

ROOT = __dir__
CONFIG = YAML.load_file(File.join(ROOT, "config", "dictionary.yml"))

def words
  File.readlines(File.join(ROOT, CONFIG.fetch("words")), chomp: true, encoding: "utf-8")
end

def suggest(word)
  words.map { |each| [LevenshteinC.distance(word, each), each] }.sort.first(CONFIG.fetch("suggestions"))
end

def view(name, **locals)
  ERB.new(File.read(File.join(ROOT, "views", "#{name}.erb")), trim_mode: "-").result_with_hash(locals)
end

def respond(path)
  case path
  when "/" then [200, "text/html", view("index", count: words.size)]
  when %r{\A/check/(\w+)\.json\z}
    [200, "application/json", JSON.generate(word: $1, known: words.include?($1), suggestions: suggest($1))]
  when %r{\A/check/(\w+)\z} then [200, "text/html", view("check", word: $1, found: suggest($1))]
  else [404, "text/html", view("unknown", path: path)]
  end
end

port = 4567
OptionParser.new { |o| o.on("-p PORT", Integer) { |given| port = given } }.parse!
log = File.open(File.join(ROOT, "log", "access.log"), "a")
log.sync = true
server = TCPServer.new("0.0.0.0", port)
trap("TERM") { exit }

loop do
  Thread.new(server.accept) do |client|
    line = client.gets.to_s
    nil until client.gets.to_s.strip.empty?
    status, type, body = respond(URI.decode_www_form_component(line.split[1].to_s))
    log.puts("#{status} #{line.strip}")
    client.write("HTTP/1.1 #{status} X\r\nContent-Type: #{type}\r\nContent-Length: #{body.bytesize}\r\nConnection: close\r\n\r\n", body)
  rescue SystemCallError => error
    warn(error.message)
  ensure
    client&.close
  end
end
