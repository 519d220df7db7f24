-- SPDX-License-Identifier: MIT
--
-- What -v reports at the end about events that crossed between workers.
local run = require("spec.support.command").run

-- 1000 events, each a table of WEIGHT numbers; the consumer holds each batch for HOLD ms. Garbage is not collected: it
-- would take its time in a callback or while events cross, as chance has it.
local SCRIPT = [[
local stagehost = require "stagehost"
local WEIGHT, HOLD, INSTANCES = %d, %d, %d
local event = {}
for i = 1, WEIGHT do
    event[i] = i
end
assert(assert(stagehost.pipeline({
    stages = {
        { name = "parse", stage = stagehost.producer {
            init = function() collectgarbage "stop" end,
            handle_demand = function(self, demand)
                local events = {}
                for i = 1, math.min(demand, 1000 - (self.n or 0)) do
                    events[i] = event
                end
                self.n = (self.n or 0) + #events
                return self.n < 1000 and events or stagehost.stop("normal", events)
            end,
        } },
        { name = "count", instances = INSTANCES, worker = stagehost.workers() - 1, stage = stagehost.consumer {
            init = function() collectgarbage "stop" end,
            handle_events = function()
                local till = os.clock() + HOLD / 1000
                while os.clock() < till do end
            end,
        }, subscribe_to = { to = "parse", max_demand = 100 } },
    },
}):start()):join())
]]

local function report(arguments, weight, hold, instances)
    local r = run("$S " .. arguments .. " a.lua", { ["a.lua"] = SCRIPT:format(weight, hold, instances) })
    assert.equal(0, r.status, r.err)
    return r.err
end

describe("the report of what crossed", function()
    it("has a line for two stages, with all of their instances", function()
        local err = report("-v -w 2", 10, 0, 2)
        local bytes = err:match "parse %-> count: 1000 events crossed in (%d+) bytes; [%d.]+ s encoding, "
        assert.is_true(tonumber(bytes) > 10000, err)
        assert.equal(1, select(2, err:gsub("parse %-> count: %d+ events crossed", "")), err)
    end)

    it("says when crossing took longer than the callbacks", function()
        local share = report("-v -w 2", 6000, 0, 1):match(
            "parse %-> count: crossing took (%d+) %% of the time; keep them on one worker, or combine first")
        assert.is_true(tonumber(share) > 50 and tonumber(share) <= 100)
    end)

    it("does not say so when the callbacks took longer", function()
        local err = report("-v -w 2", 10, 5, 1)
        assert.is_truthy(err:find("1000 events crossed", 1, true))
        assert.is_nil(err:find("crossing took", 1, true))
    end)

    it("is missing without -v, and when nothing has crossed", function()
        assert.is_nil(report("-w 2", 10, 0, 1):find "cross")
        assert.is_nil(report("-v -w 1", 10, 0, 1):find "cross")
    end)
end)
