#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Events that come without being asked for, and a consumer that can't keep up: the buffer is bounded, and the
-- producer is told how many events it drops.
--
--   stagehost scripts/slow_consumer.lua
--   discarded 90 of 100
--   kept: 91 92 93 94 95 96 97 98 99 100
local stagehost = require "stagehost"

local Sensor = stagehost.producer {
    init = function(self) self.discarded = 0 end,
    handle_cast = function(_, readings) return readings end,
    handle_call = function(self) return self.discarded end,
    format_discarded = function(self, count)
        self.discarded = self.discarded + count
        return false -- no log line: it is printed below
    end,
}

local sensor = assert(stagehost.start(Sensor, { buffer_size = 10, buffer_keep = "last" }))
for i = 1, 100, 5 do
    sensor:cast { i, i + 1, i + 2, i + 3, i + 4 }
end
print(("discarded %d of 100"):format(sensor:call("discarded")))

local late = assert(stagehost.start(stagehost.sink.collect(), {
    subscribe_to = { { to = sensor, cancel = "temporary" } },
}))
sensor:stop()
print("kept: " .. table.concat(late:call("events"), " "))
late:stop()
