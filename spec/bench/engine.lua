-- SPDX-License-Identifier: MIT
--
-- One case of the engine's bench, run as a script of stagehost; prints: events seconds.
--
--   stagehost engine.lua SET SHAPE MAX_DEMAND EVENTS [STEPS]
--   SHAPE: chain | broadcast | partition | demand | fair (4 consumers each) | across (two workers)
--          | direct | brokered (one consumer)
local stagehost = require "stagehost"
local uv = stagehost.uv
local here = arg[0]:match("^(.*)/[^/]*$") or "."
local callbacks = dofile(here .. "/callbacks.lua")

local set, shape = callbacks.sets[arg[1]], arg[2]
local max_demand, limit, steps = tonumber(arg[3]), tonumber(arg[4]), tonumber(arg[5] or 1)
local produce, change, consume = set[1], set[2], set[3]

local Producer = stagehost.producer {
    init = function(self) self.n = 0 end,
    handle_demand = function(self, demand)
        if self.n >= limit then
            return stagehost.stop("normal")
        end
        return produce(self, demand)
    end,
}
local Change = stagehost.producer_consumer { handle_events = change }
local Consumer = stagehost.consumer {
    init = function(self) self.sum = 0 end,
    handle_events = consume,
}

local options = { demand = "accumulate" }
if shape == "broadcast" or shape == "fair" then
    options.dispatcher = shape
elseif shape == "partition" then
    local hash = arg[1] == "integers" and function(n) return n % 4 end or function(e) return e.id % 4 end
    options.dispatcher = { "partition", partitions = 4, hash = hash }
end

local producer = assert(stagehost.start(Producer, options))
local ends = {}
local function consumer(to, extra)
    local stage = assert(stagehost.start(Consumer, { worker = extra and extra.worker }))
    assert(stage:subscribe {
        to = to, max_demand = max_demand, partition = extra and extra.partition, cancel = "permanent",
    })
    ends[#ends + 1] = stage
end

if shape == "chain" then
    local last = producer
    for _ = 1, steps do
        local stage = assert(stagehost.start(Change))
        assert(stage:subscribe { to = last, max_demand = max_demand })
        last = stage
    end
    consumer(last)
elseif shape == "broadcast" then
    for _ = 1, 8 do
        consumer(producer)
    end
elseif shape == "demand" or shape == "fair" then
    for _ = 1, 4 do
        consumer(producer)
    end
elseif shape == "direct" then
    consumer(producer)
elseif shape == "brokered" then
    local broker = assert(stagehost.start(stagehost.broker()))
    assert(stagehost.broker_add(broker, producer))
    consumer(broker)
    while producer:stats().consumers == 0 do
        stagehost.sleep(1)
    end
    broker:stop()
elseif shape == "partition" then
    for i = 0, 3 do
        consumer(producer, { partition = i })
    end
else
    consumer(producer, { worker = 1 })
end

local begin = uv.hrtime()
producer:demand("forward")
for _, stage in ipairs(ends) do
    stage:join()
end
print(limit, (uv.hrtime() - begin) / 1e9)
