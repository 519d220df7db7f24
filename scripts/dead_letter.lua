#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Adds up numbers. An event that is no number is tried twice, then goes to the dead letters; the stage goes on.
--
--   stagehost scripts/dead_letter.lua
--   dead letter "seven": not a number, given 2 times to adder
--   dead letter "4o": not a number, given 2 times to adder
--   4 numbers make 100
local stagehost = require "stagehost"

local Adder = stagehost.consumer {
    init = function(self) self.sum, self.count = 0, 0 end,
    handle_events = function(self, events)
        local number = tonumber(events[1]) or error("not a number", 0)
        self.sum, self.count = self.sum + number, self.count + 1
    end,
    handle_call = function(self) return { count = self.count, sum = self.sum } end,
}

local Clerk = stagehost.consumer {
    handle_events = function(_, letters)
        for _, letter in ipairs(letters) do
            print(("dead letter %q: %s, given %d times to %s"):format(letter.event, letter.error.message,
                letter.deliveries, letter.stage))
        end
    end,
}

local letters = assert(stagehost.start(stagehost.dead_letters()))
local clerk = assert(stagehost.start(Clerk, { subscribe_to = { letters } }))
local source = assert(stagehost.start(stagehost.source.list { "10", "20", "seven", "30", "4o", "40" }))

-- The unit of on_error is the batch that handle_events gets: here, one event.
local adder = assert(stagehost.start(Adder, {
    name = "adder",
    on_error = { "retry", times = 1, delay = 1, after = "dead_letter" },
    dead_letter = letters,
    subscribe_to = { { to = source, max_demand = 1, cancel = "temporary" } },
}))
source:join()
local total = adder:call()
adder:stop()
letters:finish()
clerk:join()
print(("%d numbers make %d"):format(total.count, total.sum))
