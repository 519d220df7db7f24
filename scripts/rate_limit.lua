#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- A consumer that asks by hand: it takes at most 5 events every 20 ms, however fast the producer is.
--
--   stagehost scripts/rate_limit.lua
--   20 events in 4 portions of at most 5
local stagehost = require "stagehost"

local PORTION, EVERY_MS = 5, 20

local Limited = stagehost.consumer {
    init = function(self) self.portions, self.count = 0, 0 end,
    handle_subscribe = function(self, _, _, from)
        self.from = from
        stagehost.ask(from, PORTION)
        stagehost.every(EVERY_MS, "ask")
        return "manual"
    end,
    handle_info = function(self) stagehost.ask(self.from, PORTION) end,
    handle_events = function(self, events)
        assert(#events <= PORTION)
        self.portions = self.portions + 1
        self.count = self.count + #events
    end,
    terminate = function(self)
        print(("%d events in %d portions of at most %d"):format(self.count, self.portions, PORTION))
    end,
}

local numbers = {}
for i = 1, 20 do
    numbers[i] = i
end
local source = assert(stagehost.start(stagehost.source.list(numbers)))
local limited = assert(stagehost.start(Limited, { subscribe_to = { source } }))
limited:join()
