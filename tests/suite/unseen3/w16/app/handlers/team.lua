local score = require("score")
local cjson = require("cjson")

return function(name)
  for place, row in ipairs(score.table(score.load(os.getenv("SCORES")))) do
    if row.team:lower() == name then
      return 200, cjson.encode({ place, row.team, row.points }) .. "\n"
    end
  end
  error("no team " .. name, 0)
end
