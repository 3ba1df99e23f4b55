require "greet"
