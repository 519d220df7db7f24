#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Every consumer gets every event it selects, all at the pace of the slowest.
--
--   stagehost scripts/broadcast.lua
--   all: 1 2 3 4 5 6 7 8 9 10
--   even: 2 4 6 8 10
local stagehost = require "stagehost"

-- "accumulate" holds the events until both are subscribed.
local source = assert(stagehost.start(stagehost.source.list { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 },
    { dispatcher = "broadcast", demand = "accumulate" }))

local Collect = stagehost.consumer {
    init = function(self, args) self.name, self.seen = args.name, {} end,
    handle_events = function(self, events)
        for _, n in ipairs(events) do
            self.seen[#self.seen + 1] = n
        end
    end,
    terminate = function(self) print(self.name .. ": " .. table.concat(self.seen, " ")) end,
}

local all = assert(stagehost.start(Collect, { args = { name = "all" } }))
local even = assert(stagehost.start(Collect, { args = { name = "even" } }))
assert(all:subscribe { to = source, max_demand = 4 })
assert(even:subscribe { to = source, max_demand = 3, selector = function(n) return n % 2 == 0 end })

source:demand("forward")
all:join()
even:join()
