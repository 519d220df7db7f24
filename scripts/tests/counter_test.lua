-- SPDX-License-Identifier: MIT
local test = require "stagehost.test"

test "doubles the numbers that it was told to make" (function()
    test.equal(test.script("scripts/counter.lua", { args = { "3" } }), { "0", "2", "4" })
end)

test "doubles what another stage counts" (function()
    test.equal(test.script("scripts/counter.lua", { stages = { counter = { 7, 8 } } }), { "14", "16" })
end)
