-- SPDX-License-Identifier: MIT
--
-- A bare loop over the lines of a file. Prints: lines seconds.
--   luajit lines.lua FILE
local uv = require "luv"

local n, begin = 0, uv.hrtime()
for _ in io.lines(arg[1]) do
    n = n + 1
end
print(n, (uv.hrtime() - begin) / 1e9)
