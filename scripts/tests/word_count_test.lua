-- SPDX-License-Identifier: MIT
local test = require "stagehost.test"

test "counts words, the most frequent first" (function()
    local lines = test.script("scripts/word_count.lua", { stdin = { "the cat and the dog" } })
    test.equal(lines, { "        2  the", "        1  and", "        1  cat", "        1  dog" })
    test.ledger()
end)

test "fails when a stage crashes, since the script allows no restart" (function()
    test.expect_failures()
    test.raises(function()
        test.script("scripts/word_count.lua", { stdin = { "a b" }, stages = { words = test.crash { at = 1 } } })
    end, "injected crash")
end)
