#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- A pipeline as data. One of its stages crashes at an event; it is restarted and subscribed again,
-- and the remaining events are handled. The event it crashed at is lost, which the log and the exit
-- status (75) report.
--
--   stagehost scripts/supervised_pipeline.lua
--   pipeline "squares" (at most 3 restarts in 5 s, the first after 10 ms)
--   numbers  producer
--   └─ square  producer_consumer, max_demand 1, worker any
--      └─ print  consumer
--   1 4 9 16 36 49 64 81 100
--   ended: normal
local stagehost = require "stagehost"

local Square = stagehost.producer_consumer {
    handle_events = function(_, events)
        for i, n in ipairs(events) do
            if n == 5 then
                error("5 is too much")
            end
            events[i] = n * n
        end
        return events
    end,
}

local Print = stagehost.consumer {
    init = function(self) self.seen = {} end,
    handle_events = function(self, events)
        for _, n in ipairs(events) do
            self.seen[#self.seen + 1] = n
        end
    end,
    terminate = function(self) print(table.concat(self.seen, " ")) end,
}

local pipeline = stagehost.pipeline {
    name = "squares",
    backoff = { delay = 10 },
    stages = {
        { name = "numbers", stage = stagehost.source.list { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } },
        { name = "square", stage = Square, worker = "any", subscribe_to = { { to = "numbers", max_demand = 1 } } },
        { name = "print", stage = Print, subscribe_to = { "square" } },
    },
}
print(pipeline)
local running = assert(pipeline:start())
local _, reason = assert(running:join())
print("ended: " .. reason)
