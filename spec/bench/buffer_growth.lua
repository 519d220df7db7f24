-- SPDX-License-Identifier: MIT
--
-- Cost per event as the buffer grows: N events are emitted without a consumer, then taken in tens.
-- Prints: events seconds.
local stagehost = require "stagehost"
local uv = stagehost.uv
local n = tonumber(arg[1])

local Producer = stagehost.producer {
    handle_cast = function(_, events) return events end,
}
local Consumer = stagehost.consumer { handle_events = function() end }

local producer = assert(stagehost.start(Producer, { buffer_size = "infinity" }))
local begin = uv.hrtime()
for i = 1, n, 100 do
    local events = {}
    for k = 1, 100 do
        events[k] = i + k
    end
    producer:cast(events)
    if i % 10000 == 1 then
        producer:buffered()
    end
end
local consumer = assert(stagehost.start(Consumer))
assert(consumer:subscribe { to = producer, max_demand = 10 })
producer:stop()
consumer:join()
print(n, (uv.hrtime() - begin) / 1e9)
