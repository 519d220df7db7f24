#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- M producers and N consumers that find one another through a broker, and come and go. Each consumer
-- is subscribed directly to every producer; events do not pass through the broker.
--
--   stagehost scripts/broker.lua [producers consumers]
--   2 producers, 3 consumers: 200 events, each of them handled once
--   north joined: 100 more, from it alone
--   a consumer left: 300 more for those that stayed
--   all producers ended: 2 consumers still there
local stagehost = require "stagehost"

local M, N = tonumber(arg[1]) or 2, tonumber(arg[2]) or 3
local EACH = 100

-- Sends EACH events whenever it is told to.
local Station = stagehost.producer {
    init = function(self) self.to_send = 0 end,
    handle_demand = function() end,
    handle_call = function()
        local events = {}
        for i = 1, EACH do
            events[i] = i
        end
        return true, events
    end,
}

local Listener = stagehost.consumer {
    init = function(self) self.heard = {} end,
    handle_events = function(self, events, from)
        local name = from.producer.name
        self.heard[name] = (self.heard[name] or 0) + #events
    end,
    handle_call = function(self)
        local heard = self.heard
        self.heard = {}
        return heard
    end,
}

local broker = assert(stagehost.start(stagehost.broker { name = "radio" }))
local listeners, stations = {}, {}

local function listen()
    local listener = assert(stagehost.start(Listener))
    assert(listener:subscribe { to = "radio", max_demand = 50 })
    table.insert(listeners, listener)
end

local function send_from(name)
    local station = assert(stagehost.start(Station, { name = name }))
    assert(stagehost.broker_add("radio", station))
    table.insert(stations, station)
end

--- Has all stations send, and waits until `n` events were heard; returns how many came from each.
local function collect(n)
    for _, station in ipairs(stations) do
        station:call("send")
    end
    local sum, from = 0, {}
    while sum < n do
        for _, listener in ipairs(listeners) do
            for name, count in pairs(listener:call("heard")) do
                sum, from[name] = sum + count, (from[name] or 0) + count
            end
        end
        stagehost.sleep(1)
    end
    return sum, from
end

-- Half of the listeners come before the stations, half after them.
for i = 1, N do
    if i == math.ceil(N / 2) then
        for k = 1, M do
            send_from("station " .. k)
        end
    end
    listen()
end
print(("%d producers, %d consumers: %d events, each of them handled once"):format(M, N, (collect(M * EACH))))

send_from "north"
local _, from = collect((M + 1) * EACH)
print(("north joined: %d more, from it alone"):format(from.north))

local leaving = table.remove(listeners)
assert(stagehost.broker_remove(broker, leaving))
stagehost.sleep(5) -- until all have heard of it
print(("a consumer left: %d more for those that stayed"):format((collect((M + 1) * EACH))))
leaving:stop()

for _, station in ipairs(stations) do
    station:stop()
end
local alive = 0
for _, listener in ipairs(listeners) do
    alive = alive + (listener:is_alive() and 1 or 0)
    listener:stop()
end
print(("all producers ended: %d consumers still there"):format(alive))
broker:stop()
