#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- One producer, several workers: the demand dispatcher gives each event to the worker with the most demand, so
-- a slow consumer simply gets less. Every event is handled once.
--
--   stagehost scripts/fan_out.lua
--   handled 1000 events, each once
local stagehost = require "stagehost"

local N = 1000
local numbers = {}
for i = 1, N do
    numbers[i] = i
end

local Worker = stagehost.producer_consumer {
    init = function(self, args) self.slow = args.slow end,
    handle_events = function(self, events)
        if self.slow then
            stagehost.sleep(1) -- only this stage waits
        end
        return events
    end,
}

local running = assert(stagehost.pipeline({
    stages = {
        { name = "numbers", stage = stagehost.source.list(numbers) },
        { name = "slow", stage = Worker, args = { slow = true }, worker = "any",
            subscribe_to = { { to = "numbers", max_demand = 10 } } },
        { name = "quick", stage = Worker, args = {}, instances = 3,
            subscribe_to = { { to = "numbers", max_demand = 10 } } },
        { name = "seen", stage = stagehost.sink.collect(), subscribe_to = { "slow", "quick" } },
    },
}):start())
local seen = assert(running:join()).seen

local times = {}
for _, n in ipairs(seen) do
    assert(not times[n], "an event was handled twice")
    times[n] = true
end
print(("handled %d events, each once"):format(#seen))
