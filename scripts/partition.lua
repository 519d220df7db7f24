#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Events are split by key: all events of one key go to one consumer, in order. Events that hash to "none" are dropped.
--
--   stagehost scripts/partition.lua
--   even: 2 4 8 10
--   odd: 1 5 7 11
local stagehost = require "stagehost"

local source = assert(stagehost.start(stagehost.source.list { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 }, {
    dispatcher = {
        "partition",
        partitions = { "odd", "even" },
        hash = function(n)
            if n % 3 == 0 then
                return "none"
            end
            return n % 2 == 0 and "even" or "odd"
        end,
    },
}))

local Collect = stagehost.consumer {
    init = function(self, args) self.name, self.seen = args, {} end,
    handle_events = function(self, events)
        for _, n in ipairs(events) do
            self.seen[#self.seen + 1] = n
        end
    end,
    terminate = function(self) print(self.name .. ": " .. table.concat(self.seen, " ")) end,
}

for _, name in ipairs { "even", "odd" } do
    local stage = assert(stagehost.start(Collect, { name = name, args = name }))
    assert(stage:subscribe { to = source, partition = name })
end
stagehost.whereis("even"):join()
local odd = stagehost.whereis("odd")
if odd then
    odd:join()
end
