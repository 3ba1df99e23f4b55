local cjson = require("cjson")

local score = {}

function score.load(file)
  local input = assert(io.open(file))
  local games = cjson.decode(input:read("a"))
  input:close()
  return games
end

function score.table(games)
  local points = {}
  for _, game in ipairs(games) do
    local home, away = game.home, game.away
    points[home] = (points[home] or 0) + (game.goals[1] > game.goals[2] and 3 or game.goals[1] == game.goals[2] and 1 or 0)
    points[away] = (points[away] or 0) + (game.goals[2] > game.goals[1] and 3 or game.goals[1] == game.goals[2] and 1 or 0)
  end
  local rows = {}
  for team, sum in pairs(points) do
    rows[#rows + 1] = { team = team, points = sum }
  end
  table.sort(rows, function(a, b)
    return a.points > b.points or (a.points == b.points and a.team < b.team)
  end)
  return rows
end

return score
