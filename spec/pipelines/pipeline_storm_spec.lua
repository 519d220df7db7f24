-- SPDX-License-Identifier: MIT

--- A pipeline in which something is killed all the time: afterwards everything moves again, everybody is
--- subscribed to everybody, and a drain finds its end.
local crashing = require "spec.support.crashing"
local stagehost = require "stagehost"

local KILLS = 100

local Source = stagehost.producer {
    init = function(self) self.n = 0 end,
    handle_demand = function(self, demand)
        local events = {}
        for i = 1, demand do
            self.n = self.n + 1
            events[i] = self.n
        end
        return events
    end,
}
local Middle = stagehost.producer_consumer { handle_events = function(_, events) return events end }
local Sink = stagehost.consumer {
    init = function(self) self.count = 0 end,
    handle_events = function(self, events) self.count = self.count + #events end,
    handle_call = function(self) return self.count end,
}

local NAMES = { "source.1", "source.2", "middle.1", "middle.2", "middle.3", "sink.1", "sink.2", "sink.3", "sink.4" }

local function storm(dispatcher)
    local running = assert(stagehost.pipeline({ max_restarts = KILLS, max_seconds = 3600, stages = {
        { name = "source", stage = Source, instances = 2 },
        { name = "middle", stage = Middle, instances = 3, dispatcher = dispatcher,
            subscribe_to = { { to = "source", max_demand = 50 } } },
        { name = "sink", stage = Sink, instances = 4, subscribe_to = { { to = "middle", max_demand = 20 } } },
    } }):start())
    local kills = 0
    while kills < KILLS do
        local stage = running:stage(NAMES[kills * 7 % #NAMES + 1])
        if stage then
            stage:kill()
            kills = kills + 1
        end
        stagehost.sleep(kills % 3)
    end
    return running
end

local function count(running, name)
    local sink = running:stage(name)
    return sink and sink:call "count"
end

describe("after a storm of kills", function()
    local dispatchers = { demand = "demand", broadcast = "broadcast", partition = { "partition", partitions = 4 } }
    for what, dispatcher in pairs(dispatchers) do
        it(("everything moves again, and drains (%s)"):format(what), function()
            local running = storm(dispatcher)
            crashing.await(function()
                for _, one in ipairs(running:status().stages) do
                    local stats = one.stats
                    local outputs = one.kind == "producer" and 3 or one.kind == "consumer" and 0 or 4
                    local inputs = one.kind == "producer" and 0 or one.kind == "consumer" and 3 or 2
                    if not stats or stats.consumers ~= outputs or stats.producers ~= inputs then
                        return false
                    end
                end
                return true
            end)
            for i = 1, 4 do
                local name = "sink." .. i
                local before = count(running, name)
                crashing.await(function() return count(running, name) > before end)
            end
            assert.is_true(running:drain())
            assert.equal("normal", select(2, running:join()))
        end)
    end
end)
