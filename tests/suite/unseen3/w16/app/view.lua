local lpeg = require("lpeg")

local view = {}
local open, close = lpeg.P("{{"), lpeg.P("}}")

local function grammar(values)
  local name = lpeg.C((1 - close) ^ 1) / function(key)
    return tostring(values[key] or "")
  end
  return lpeg.Cs(((open / "") * name * (close / "") + 1) ^ 0)
end

function view.render(name, values)
  local here = package.searchpath("view", package.path):match("^(.*)/")
  local file = assert(io.open(here .. "/views/" .. name .. ".html"))
  local text = file:read("a")
  file:close()
  return grammar(values):match(text)
end

return view
