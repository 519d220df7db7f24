-- SPDX-License-Identifier: MIT

--- Chains with random limits, paused and resumed at random: everything arrives once and in order,
--- notifications in their places, batches have their size, and nobody gets more than was asked for.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

local SEEDS, EVENTS = tonumber(os.getenv("STAGEHOST_SEEDS")) or 40, 400
-- So often a chain is paused or resumed; so often it is looked at without anything having moved.
local STEERED, STILL = 200, 5000
-- A batch is whole, or goes before a notification: the last event has one behind it.
local NEVER = 3600000

-- Counts to EVENTS; tells of every hundredth.
local Counter = stagehost.producer {
    init = function(self, last) self.n, self.last = 0, last end,
    handle_demand = function(self, n)
        local events = {}
        while #events < n and self.n < self.last do
            self.n = self.n + 1
            events[#events + 1] = self.n
            if self.n % 100 == 0 then
                stagehost.self():notify(self.n)
                return events
            end
        end
        return events
    end,
    handle_call = function(self) return self.n end,
}

local callbacks = {
    init = function(self, args)
        self.got, self.told, self.size, self.naps, self.odd = {}, {}, args.size, args.naps, 0
    end,
    handle_events = function(self, events)
        if self.size and #events ~= self.size then
            self.odd = self.odd + 1
        end
        if self.naps then
            stagehost.sleep(0)
        end
        for _, event in ipairs(events) do
            table.insert(self.got, event)
        end
        return self.passes and events or nil
    end,
    handle_notification = function(self, n) table.insert(self.told, { n, #self.got }) end,
    handle_call = function(self, what) return self[what] end,
}
local passing = { passes = true }
for name, callback in pairs(callbacks) do
    passing[name] = name ~= "handle_notification" and callback or nil
end
local Keeper, Middle = stagehost.consumer(callbacks), stagehost.producer_consumer(passing)

local seed

local function below(n)
    seed = (seed * 16807) % 2147483647
    return seed % n
end

--- Random options; `size` only sometimes.
local function limits()
    local max = 1 + below(60)
    local size = below(2) == 0 and 1 + below(max) or nil
    return {
        max_demand = max,
        min_demand = below(max),
        cancel = "transient",
        batch = size and { size = size, timeout_ms = below(2) == 0 and 1 or NEVER },
        rate = below(4) == 0 and { events = 60 + below(40), per_ms = 5 } or nil,
    }
end

--- Subscribes with random options to `from`; a stage that checks its batches.
local function add(kind, from)
    local opts = limits()
    opts.to = from
    local whole = opts.batch and opts.batch.timeout_ms > 1
    local stage = start(kind, {
        args = { size = whole and opts.batch.size, naps = below(3) == 0 },
        worker = below(stagehost.workers()),
        rate = kind == Middle and below(6) == 0 and { events = 80, per_ms = 5 } or nil,
        end_with_last = true,
    })
    return stage, assert(stage:subscribe(opts))
end

--- Until `moved` answers true, however long that takes. It also answers a number that changes while
--- something moves; the stages that it asks have answered STILL times in vain when they are stuck.
local function await(moved)
    local before, still = nil, 0
    while true do
        local done, n = moved()
        if done then
            return
        end
        still = n == before and still + 1 or 0
        before = n
        assert(still < STILL, ("it got stuck, produced and got: %d"):format(n))
        stagehost.sleep(5)
    end
end

--- What was begun goes to its end. A producer that is stopped produces no more, so it is stopped when it
--- has produced all; what is less than a batch goes on then.
local function finish(producer, subs, last)
    for _, each in ipairs(subs) do
        each:resume()
    end
    await(function()
        local n = producer:call("n")
        return n == EVENTS, n + #last:call("got")
    end)
    producer:stop()
    await(function()
        local n = #last:call("got")
        return n == EVENTS, EVENTS + n
    end)
end

local function run()
    local producer = start(Counter, {
        args = EVENTS, worker = below(stagehost.workers()), demand = "accumulate", polling_interval = 1,
    })
    local last, subs = producer, {}
    for i = 1, below(3) + 1 do
        last, subs[i] = add(Middle, last)
    end
    last, subs[#subs + 1] = add(Keeper, last)
    producer:demand("forward")
    for _ = 1, STEERED do
        if #last:call("got") == EVENTS then
            return last
        end
        local chosen = subs[1 + below(#subs)]
        local what = ({ "pause", "resume", "resume" })[1 + below(3)]
        chosen[what](chosen)
        stagehost.sleep(below(3))
    end
    finish(producer, subs, last)
    return last
end

describe("random chains of limited subscriptions", function()
    for first = 1, SEEDS, 10 do
        it(("hand on everything, in order: seeds %d to %d"):format(first, first + 9), function()
            for i = first, math.min(first + 9, SEEDS) do
                seed = 7919 * i
                local keeper = run()
                local got, told = keeper:call("got"), keeper:call("told")
                for k = 1, EVENTS do
                    assert.equal(k, got[k], "seed " .. i)
                end
                for _, entry in ipairs(told) do
                    assert.equal(entry[1], entry[2], "seed " .. i)
                end
                -- Only before a notification and at the end may a batch be short.
                assert.is_true(keeper:call("odd") <= EVENTS / 100 + 1, "seed " .. i)
                stages.stop_all()
            end
        end)
    end
end)
