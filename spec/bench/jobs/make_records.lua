-- SPDX-License-Identifier: MIT
--
-- Writes made-up records of a service, one JSON object on each line, always the same for the same arguments.
--   luajit make_records.lua [LINES [SEED]]      (default: 500000 1)
local n_lines, state = tonumber(arg[1] or 500000), tonumber(arg[2] or 1)

-- Park and Miller's generator: the same sequence on every machine.
local function random(n)
    state = state * 16807 % 2147483647
    return state % n
end

local statuses = { 200, 200, 200, 200, 200, 304, 404, 500 }
local format = '{"id":%d,"time":"2026-01-01T%02d:%02d:%02dZ","client":"10.0.%d.%d","path":"/%s/page-%d",'
    .. '"status":%d,"bytes":%d,"ms":%s,"cached":%s,"agent":"sample/1.0 (\\"quoted\\")"}\n'

for i = 1, n_lines do
    local second = math.floor(i / 10)
    -- Quarters of a millisecond: every writer of JSON agrees on their digits.
    io.write(format:format(i, math.floor(second / 3600) % 24, math.floor(second / 60) % 60, second % 60, random(8),
        random(256), ({ "docs", "blog", "images", "api" })[random(4) + 1], random(200), statuses[random(8) + 1],
        random(60000), tostring(random(4000) / 4), random(2) == 0 and "true" or "false"))
end
