#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- The smallest pipeline: numbers are produced, doubled and printed. Only numbers that were asked for are produced.
--
--   stagehost scripts/counter.lua [N]
--
--   stagehost scripts/counter.lua 3
--   0
--   2
--   4
local stagehost = require "stagehost"

local limit = tonumber(arg[1] or 10)

local Counter = stagehost.producer {
    init = function(self) self.next = 0 end,
    handle_demand = function(self, demand)
        local events = {}
        for i = 1, math.min(demand, limit - self.next) do
            events[i] = self.next
            self.next = self.next + 1
        end
        return self.next < limit and events or stagehost.stop("normal", events)
    end,
}

local Double = stagehost.producer_consumer {
    handle_events = function(_, events)
        local doubled = {}
        for i, n in ipairs(events) do
            doubled[i] = n * 2
        end
        return doubled
    end,
}

local counter = assert(stagehost.start(Counter, { name = "counter" }))
local double = assert(stagehost.start(Double, { name = "double", subscribe_to = { counter } }))
local printer = assert(stagehost.start(stagehost.sink.print(), { subscribe_to = { double } }))
printer:join()
