-- SPDX-License-Identifier: MIT

--- What the log says of buffers that drop events.
local run = require "spec.support.command".run

--- Casts batches of 4 at a producer with a buffer of 4; then its consumer takes all that is there.
local SCRIPT = [[
    local s = require "stagehost"
    local source = s.start(s.producer {
        handle_cast = function(_, events) return events end,
        handle_call = function() return true end,
        handle_demand = function() end,
        format_discarded = arg[1] == "quiet" and function() return false end or nil,
    }, { buffer_size = 4 })
    local function fill()
        for _ = 1, 3 do
            source:cast { 1, 2, 3, 4 }
        end
        source:call()
    end
    for _ = 1, 2 do
        fill()
        local sink = s.start(s.sink.each(function() end), {
            subscribe_to = { { to = source, max_demand = 4, cancel = "temporary" } },
        })
        while source:stats().buffered > 0 do
            s.sleep(1)
        end
        sink:stop()
    end
    source:stop()
]]

local function count(text, what)
    return select(2, text:gsub(what, ""))
end

describe("a buffer that is full", function()
    it("is told of when it begins to drop events, and when it has room again", function()
        local r = run("$S script.lua", { ["script.lua"] = SCRIPT })
        assert.equal(2, count(r.err, "the buffer of 4 is full: it drops events from now on"), r.err)
        assert.equal(2, count(r.err, "the buffer of 4 has room again: it has dropped 8 events"), r.err)
    end)

    it("is not told of where format_discarded says no", function()
        local r = run("$S script.lua quiet", { ["script.lua"] = SCRIPT })
        assert.is_nil(r.err:find "buffer of 4")
    end)
end)
