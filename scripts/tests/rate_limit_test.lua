-- SPDX-License-Identifier: MIT
local stagehost = require "stagehost"
local test = require "stagehost.test"

test "takes a portion every 20 ms" (function()
    local began = stagehost.now()
    test.equal(test.script "scripts/rate_limit.lua", { "20 events in 4 portions of at most 5" })
    test.equal(stagehost.now() - began, 60)
end)
