#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Follows a file as it grows, is truncated or rotated, and prints its lines, like tail -F. Ends on Ctrl-C.
--
--   stagehost scripts/tail.lua FILE [--from-start]
local stagehost = require "stagehost"

if not arg[1] then
    error("usage: stagehost tail.lua FILE [--from-start]", 0)
end
local source = assert(stagehost.start(stagehost.source.tail {
    path = arg[1],
    from = arg[2] == "--from-start" and "start" or "end",
}))
local out = assert(stagehost.start(stagehost.sink.lines { path = "-" },
    { subscribe_to = { { to = source, max_demand = 100 } } }))
out:join()
