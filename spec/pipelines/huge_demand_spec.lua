-- SPDX-License-Identifier: MIT

--- Asks for nothing, and asks that add up to more than 64 bits hold: demand stays at its most, and events flow.
local stagehost = require "stagehost"
local stages = require "spec.support.stages"

local start = stages.start

after_each(stages.stop_all)

local MOST = 2 ^ 46 -- SH_DEMAND_MAX

--- Emits what it is cast; answers what it was asked for.
local Source = stagehost.producer {
    init = function(self) self.asked = 0 end,
    handle_demand = function(self, n) self.asked = self.asked + n end,
    handle_cast = function(_, events) return events end,
    handle_call = function(self) return self.asked end,
}

--- Asks as often as it is told; `call` answers what it has got.
local Sink = stagehost.consumer {
    init = function(self) self.got = {} end,
    handle_subscribe = function(self, _, opts, from)
        self.from = from
        return opts.opts and opts.opts.mode or "manual"
    end,
    handle_cast = function(self, ask)
        for _ = 1, ask.times do
            if ask.method then
                self.from:ask(ask.n)
            else
                stagehost.ask(self.from, ask.n)
            end
        end
    end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.got, event)
        end
    end,
    handle_call = function(self) return self.got end,
}

-- Counts what it may send, as the core does.
local Counting = {
    subscribe = function(self, from) self.from, self.credit_left = from, 0 end,
    cancel = function() end,
    ask = function(self, _, n) self.credit_left = self.credit_left + n end,
    dispatch = function(self, events, send)
        send(self.from, events)
        self.credit_left = self.credit_left - #events
    end,
    credit = function(self) return self.credit_left end,
}

local DISPATCHERS = {
    demand = { "demand" },
    fair = { "fair" },
    broadcast = { "broadcast" },
    replay = { "broadcast", replay = 3 },
    partition = { "partition", partitions = 1 },
    group = { "partition", partitions = 1, groups = true },
    custom = { Counting },
}

--- The partition to subscribe to, where there are some.
local function partition_of(name)
    return type(DISPATCHERS[name]) == "table" and DISPATCHERS[name][1] == "partition" and 0 or nil
end

local function subscribe(sink, source, options)
    options.to, options.cancel = source, "temporary"
    local subscription = assert(sink:subscribe(options))
    sink:call()
    source:call()
    return subscription
end

describe("asks for nothing", function()
    it("do nothing, by function and by method", function()
        local source, sink = start(Source), start(Sink)
        local subscription = subscribe(sink, source, {})
        sink:cast { n = 3, times = 1 }
        sink:cast { n = 0, times = 2 }
        sink:cast { n = 0, times = 2, method = true }
        sink:call()
        assert.equal(3, source:call())
        assert.equal(1, subscription:stats("producer").asks)
        assert.equal(1, sink:stats().asks_out)
        assert.is_true(sink:is_alive())
    end)

    it("are not asks for less", function()
        local source, sink = start(Source), start(Sink)
        local subscription = subscribe(sink, source, {})
        for _, n in ipairs { -1, 0.5, -0.5 } do
            assert.error_matches(function() subscription:ask(n) end, "must be an integer")
        end
    end)
end)

describe("huge demand", function()
    for name, dispatcher in pairs(DISPATCHERS) do
        for _, worker in ipairs { 0, stagehost.workers() - 1 } do
            it(("stays at its most: %s, worker %d"):format(name, worker), function()
                local source = start(Source, { dispatcher = dispatcher })
                local sink = start(Sink, { worker = worker })
                local subscription = subscribe(sink, source, { partition = partition_of(name) })
                sink:cast { n = 2 ^ 53, times = 2200 } -- 2^64 in all, and more
                sink:call()
                source:cast { "a", "b" }
                source:call()
                assert.same({ "a", "b" }, sink:call())
                local outstanding = subscription:stats("producer").outstanding
                assert.is_true(outstanding >= MOST - 2 and outstanding <= MOST, outstanding)
                assert.is_true(source:call() >= MOST and source:call() <= 2 * MOST)
                assert.equal(2 ^ 64, source:stats().demand_in)
                if worker == 0 then
                    assert.equal(2 ^ 64, sink:stats().demand_out)
                end
                sink:cast { n = 1, times = 1 }
                sink:call()
                source:cast { "c" }
                source:call()
                assert.same({ "a", "b", "c" }, sink:call())
            end)
        end
    end

    it("adds up over consumers", function()
        for _, name in ipairs { "demand", "fair", "group" } do
            local source = start(Source, { dispatcher = DISPATCHERS[name] })
            local sinks = {}
            for i = 1, 3 do
                sinks[i] = start(Sink)
                subscribe(sinks[i], source, { partition = partition_of(name) })
                sinks[i]:cast { n = 2 ^ 53, times = 3 }
                sinks[i]:call()
            end
            assert.equal(3 * MOST, source:call())
            source:cast { 1, 2, 3 }
            source:call()
            assert.equal(3, #sinks[1]:call() + #sinks[2]:call() + #sinks[3]:call())
        end
    end)

    it("is paced all the same", function()
        local source = start(Source, { rate = { events = 10, per_ms = 10 }, dispatcher = DISPATCHERS.partition })
        local sink = start(Sink)
        subscribe(sink, source, { partition = 0 })
        sink:cast { n = 2 ^ 53, times = 1100 }
        source:cast { 1, 2, 3 }
        repeat
            stagehost.sleep(1)
        until #sink:call() == 3
    end)

    it("is kept while a subscription is paused", function()
        local source, sink = start(Source), start(Sink)
        local subscription = subscribe(sink, source,
            { opts = { mode = "automatic" }, max_demand = 2 ^ 53, min_demand = 0 })
        subscription:pause()
        sink:call()
        source:cast { 1 }
        source:call()
        subscription:resume()
        sink:call()
        source:cast { 2 }
        source:call()
        assert.same({ 1, 2 }, sink:call())
    end)
end)
