-- The first part of a path names a file of handlers/.
local view = require("view")

local router = {}

function router.answer(path)
  local name, rest = path:match("^/(%w*)/?(.*)$")
  if name == "" then
    name = "table"
  end
  local found, handler = pcall(require, "handlers." .. name)
  if not found then
    return 404, view.render("missing", { name = name, handlers = router.names() })
  end
  return handler(rest)
end

function router.names()
  local lfs = require("lfs")
  local names = {}
  local here = package.searchpath("router", package.path):match("^(.*)/")
  for file in lfs.dir(here .. "/handlers") do
    names[#names + 1] = file:match("^(.*)%.lua$")
  end
  table.sort(names)
  return table.concat(names, ", ")
end

return router
