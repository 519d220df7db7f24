-- SPDX-License-Identifier: MIT

--- The pipeline of the soak test: sources, stages and sinks on all workers, supervised, of which one is
--- killed every so often. `run.lua` starts it and judges what it prints:
---
---     stagehost -w 2 spec/soak/pipeline.lua SECONDS MILLISECONDS_BETWEEN_KILLS SEED [ack]
---
--- `sample` lines while it runs: seconds, kB of resident memory, events received, kills;
--- `fresh` after the last kill: how many sinks got events after it;
--- `total` at the end: events emitted and received.
local stagehost = require "stagehost"
local uv = stagehost.uv

local seconds, pause, seed = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local ack = arg[4] == "ack" or nil
math.randomseed(seed)
-- In a short run fewer, so that something can be expected to arrive between two on a busy machine.
local SAMPLES = math.min(40, math.max(10, seconds * 4))

-- Counts events in a stage that is never killed.
local books = assert(stagehost.start(stagehost.process {
    init = function(self)
        self.emitted, self.received, self.by = 0, 0, {}
    end,
    handle_cast = function(self, entry)
        if entry.emitted then
            self.emitted = self.emitted + entry.emitted
        else
            self.received = self.received + entry.received
            self.by[entry.by] = (self.by[entry.by] or 0) + entry.received
        end
    end,
    handle_call = function(self)
        local by = {} -- a copy, which the caller compares with a later one
        for name, n in pairs(self.by) do
            by[name] = n
        end
        return { emitted = self.emitted, received = self.received, by = by }
    end,
}))

local Source = stagehost.producer {
    init = function(self)
        self.n = 0
    end,
    handle_demand = function(self, demand)
        local events = {}
        for i = 1, demand do
            self.n = self.n + 1
            events[i] = { n = self.n, text = "event" }
        end
        books:cast { emitted = demand }
        return events
    end,
}
local Middle = stagehost.producer_consumer {
    handle_events = function(_, events)
        for _, event in ipairs(events) do
            event.seen = true
        end
        return events
    end,
}
local Sink = stagehost.consumer {
    handle_events = function(self, events)
        require("stagehost").sleep(1) -- so that some stages are killed while they wait
        books:cast { received = #events, by = self.stage.name }
    end,
}

local sizes = { source = 2, middle = 3, sink = 4 }
local running = assert(stagehost.pipeline({
    name = "soak",
    max_restarts = 1e9, max_seconds = 3600,
    stages = {
        { name = "source", stage = Source, instances = sizes.source },
        { name = "middle", stage = Middle, instances = sizes.middle,
            subscribe_to = { { to = "source", max_demand = 200, ack = ack } } },
        { name = "sink", stage = Sink, instances = sizes.sink,
            subscribe_to = { { to = "middle", max_demand = 50, ack = ack } } },
    },
}):start())

local names = {}
for stage, n in pairs(sizes) do
    for i = 1, n do
        names[#names + 1] = ("soak.%s.%d"):format(stage, i)
    end
end

local kills, killed = 0, nil
local function kill_one()
    local stage = stagehost.whereis(names[math.random(#names)])
    if stage then
        stage:kill()
        kills, killed = kills + 1, stage
    end
end

local function sample(since)
    collectgarbage()
    print("sample", math.floor(since / 1e3 + 0.5), math.floor(uv.resident_set_memory() / 1024),
        books:call().received, kills)
    io.stdout:flush()
end

--- Returns how many sinks have got new events; waits at most ten seconds for all of them.
local function count_fresh()
    local before = books:call().by
    for _ = 1, 1000 do
        stagehost.sleep(10)
        local fresh = 0
        for name, n in pairs(books:call().by) do
            fresh = fresh + (n > (before[name] or 0) and 1 or 0)
        end
        if fresh == sizes.sink then
            return fresh
        end
    end
    return 0
end

local started, sampled = uv.now(), 0
while uv.now() - started < seconds * 1e3 do
    stagehost.sleep(pause)
    kill_one()
    local since = uv.now() - started
    if since >= sampled * seconds * 1e3 / SAMPLES then
        sampled = sampled + 1
        sample(since)
    end
end

-- On a busy machine the last stage killed may take long to end. A source that ends so while a pipeline drains is
-- a failure of the drain.
killed:join()
print("fresh", count_fresh())
assert(running:drain(20000))
local total = books:call(nil, math.huge)
print("total", total.emitted, total.received, kills)
books:stop()
