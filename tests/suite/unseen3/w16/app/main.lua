local socket = require("socket")
local router = require("router")

local port = tonumber(arg[1]) or 6060
local server = assert(socket.bind("*", port))
print("scoreboard on port " .. port)

while true do
  local client = server:accept()
  client:settimeout(5)
  local line = client:receive("*l")
  local path = line and line:match("^GET (%S+)")
  repeat
    local header = client:receive("*l")
  until not header or header == ""
  if path then
    local ok, status, body = pcall(router.answer, path)
    if not ok then
      status, body = 500, tostring(status) .. "\n"
    end
    client:send(("HTTP/1.1 %d Lua\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"):format(status, #body, body))
  end
  client:close()
end
