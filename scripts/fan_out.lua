#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- One producer, several workers: the demand dispatcher gives each event to whoever has asked for most, so
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

local Worker = stagehost.consumer {
    init = function(self, args) self.seen, self.slow = {}, args.slow end,
    handle_events = function(self, events)
        if self.slow then
            stagehost.sleep(1) -- only this stage waits
        end
        for _, n in ipairs(events) do
            self.seen[#self.seen + 1] = n
        end
    end,
    handle_cancel = function(self)
        self.done = true
        if self.asker then
            self.asker:reply(self.seen)
            return stagehost.stop("normal")
        end
    end,
    handle_call = function(self, _, from)
        if self.done then
            return stagehost.stop("normal", nil, self.seen)
        end
        self.asker = from
        return stagehost.noreply
    end,
}

local source = assert(stagehost.start(stagehost.source.list(numbers), { demand = "accumulate" }))
local workers = {}
for i = 1, 4 do
    workers[i] = assert(stagehost.start(Worker, { worker = "any", args = { slow = i == 1 } }))
    assert(workers[i]:subscribe { to = source, max_demand = 10, cancel = "temporary" })
end
source:demand("forward")

local count, times = 0, {}
for _, worker in ipairs(workers) do
    for _, n in ipairs(assert(worker:call("seen", math.huge))) do
        count = count + 1
        assert(not times[n], "an event was handled twice")
        times[n] = true
    end
end
print(("handled %d events, each once"):format(count))
