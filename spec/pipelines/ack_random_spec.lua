-- SPDX-License-Identifier: MIT

--- Consumers with ack = true that are killed at random moments: every event is handled, and given to
--- callbacks exactly as often as its delivery numbers say: 1, 2, 3, ..., in this order.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

local LAST = 400
local SEEDS = tonumber(os.getenv "STAGEHOST_SEEDS") or 5

local Numbers = stagehost.producer {
    init = function(self)
        self.at = 0
    end,
    handle_demand = function(self, demand)
        local events = {}
        while #events < demand and self.at < LAST do
            self.at = self.at + 1
            events[#events + 1] = self.at
        end
        return self.at == LAST and stagehost.stop("normal", events) or events
    end,
}

local Log = stagehost.process {
    init = function(self)
        self.given = {}
        for i = 1, LAST do
            self.given[i] = {}
        end
    end,
    handle_cast = function(self, message)
        for _, event in ipairs(message.events) do
            local given = self.given[event]
            given[#given + 1] = message.delivery
        end
    end,
    handle_call = function(self)
        return self.given
    end,
}

local Worker = stagehost.consumer {
    init = function(self, log)
        self.log, self.n = log, 0
    end,
    handle_events = function(self, events, from)
        self.log:cast { events = events, delivery = from:deliveries() }
        self.n = self.n + 1
        if self.n % 3 == 0 then
            stagehost.sleep(0)
        end
    end,
}

-- A relay passes events on: what it has returned is acknowledged, and must not be lost with it. So it is
-- never killed.
local Relay = stagehost.producer_consumer {
    handle_events = function(_, events)
        return events
    end,
}

local dispatchers = {
    demand = { dispatcher = { "demand", max_demand = 30 } },
    fair = { dispatcher = "fair" },
    partition = { dispatcher = { "partition", partitions = { "0", "1", "2" }, hash = function(event)
        return tostring(event % 3)
    end } },
    relay = { relay = true, dispatcher = { "demand", max_demand = 30 } },
}

local function run(seed, kind, workers)
    math.randomseed(seed) -- the moments are not repeatable, the choices are
    local options = dispatchers[kind]
    local log = start(Log)
    local numbers = start(Numbers, { worker = workers[1], dispatcher = options.dispatcher })
    local source = numbers
    if options.relay then
        source = start(Relay, { worker = workers[2] or 0, dispatcher = options.dispatcher,
            subscribe_to = { { to = numbers, ack = true } } })
    end
    local consumers, kills = {}, 0
    local function hire(i)
        local max = math.random(1, 30)
        consumers[i] = start(Worker, { args = log, worker = workers[math.random(#workers)], subscribe_to = { {
            to = source, ack = true, max_deliver = 100000, max_demand = max, min_demand = math.random(0, max - 1),
            cancel = "temporary", partition = kind == "partition" and tostring(i - 1) or nil,
        } } })
    end
    for i = 1, 3 do
        hire(i)
    end
    while source:is_alive() and kills < 60 do
        if math.random(3) == 1 then
            stagehost.sleep(math.random(0, 2))
        end
        local i = math.random(3)
        consumers[i]:kill()
        consumers[i]:join()
        kills = kills + 1
        hire(i)
    end
    assert.equal("normal", source:join())
    assert.equal("normal", numbers:join())
    for _, consumer in ipairs(consumers) do
        consumer:stop()
    end
    for event, given in ipairs(log:call()) do
        assert.is_true(#given > 0, ("seed %d: event %d is missing"):format(seed, event))
        for i, delivery in ipairs(given) do
            assert.equal(i, delivery, ("seed %d: event %d"):format(seed, event))
        end
    end
end

describe("ack under fire", function()
    for kind in pairs(dispatchers) do
        it("loses nothing on one worker: " .. kind, function()
            for seed = 1, SEEDS do
                run(seed, kind, { 0 })
            end
        end)

        it("loses nothing on several: " .. kind, function()
            local workers = {}
            for i = 1, stagehost.workers() do
                workers[i] = i - 1
            end
            for seed = 1, SEEDS do
                run(seed, kind, workers[2] and workers or { 0, 0 })
            end
        end)
    end
end)
