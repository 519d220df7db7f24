-- SPDX-License-Identifier: MIT
local test = require "stagehost.test"

test "adds up what is a number, and names what is none" (function()
    local lines = test.script "scripts/dead_letter.lua"
    test.equal(lines[#lines], "4 numbers make 100")
    test.matches(lines[1], '^dead letter "seven": not a number, given 2 times')
    test.ledger { dead_lettered = 2 }
end)
