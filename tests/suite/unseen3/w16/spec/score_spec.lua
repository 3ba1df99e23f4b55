package.path = "app/?.lua;" .. package.path
local score = require("score")

local rows = score.table({ { home = "a", away = "b", goals = { 0, 1 } } })
assert(rows[1].team == "b" and rows[1].points == 3)
assert(rows[2].points == 0)
print("ok")
