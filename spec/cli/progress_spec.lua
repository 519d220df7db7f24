-- SPDX-License-Identifier: MIT
--
-- The progress line on a terminal, which `script` makes.
local run = require("spec.support.command").run

-- Two sources that read pipes on two workers.
local COUNT = [[
local stagehost = require "stagehost"
local Count = stagehost.consumer { handle_events = function() end }
for i = 1, 2 do
    local source = assert(stagehost.start(stagehost.source.lines(arg[i]), { worker = i - 1, demand = "accumulate" }))
    assert(stagehost.start(Count, { worker = i - 1, subscribe_to = source }))
    source:demand "forward"
end
]]

-- Each gets 9 times 1000 lines in 1.6 seconds.
local RUN = [[
mkfifo one two
feed() { for _ in 1 2 3 4 5 6 7 8 9; do seq 1000; sleep 0.2; done > $1; }
feed one &
feed two &
TERM=xterm script -qefc "$S -w 2 count.lua one two" /dev/null < /dev/null
]]

describe("the progress line", function()
    it("is one for all workers, and is gone at the end", function()
        local r = run(RUN, { ["count.lua"] = COUNT })
        assert.equal(0, r.status, r.out)
        local most = 0
        for count in r.out:gmatch "([%d,]+) lines" do
            most = math.max(most, tonumber((count:gsub(",", ""))))
        end
        assert.is_true(most > 9000 and most <= 18000, r.out)
        assert.equal("", r.out:match "\r *\r([^\r]*)$", r.out)
    end)
end)
