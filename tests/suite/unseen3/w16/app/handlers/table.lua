local score = require("score")
local view = require("view")

return function()
  local rows = {}
  for place, row in ipairs(score.table(score.load(os.getenv("SCORES")))) do
    rows[place] = ("<li>%s %d</li>"):format(row.team, row.points)
  end
  return 200, view.render("table", { rows = table.concat(rows) })
end
