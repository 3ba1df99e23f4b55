require 'erb'
require 'socket'
require 'yaml'

moods = YAML.load_file('config/moods.yml')
page = ERB.new(File.read('views/mood.erb'))

server = TCPServer.new('0.0.0.0', 4567)
loop do
  client = server.accept
  day = client.gets.to_s.split[1].to_s.delete('/')
  client.gets until $_.to_s.strip.empty?
  mood = moods[day]
  body = mood ? page.result_with_hash(day: day, mood: mood) : 'no such day'
  client.write "HTTP/1.0 #{mood ? '200 OK' : '404 Not Found'}\r\nContent-Length: #{body.bytesize}\r\n\r\n#{body}"
  client.close
end
