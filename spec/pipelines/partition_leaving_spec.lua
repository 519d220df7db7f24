-- SPDX-License-Identifier: MIT

--- What becomes of a partition that its last consumer has left: of the events queued for it, and of infos behind them.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start
local Sink = stages.Sink

after_each(stages.stop_all)

--- Emits what it is cast; keeps what it is told in order.
local Source = stagehost.producer {
    init = function(self) self.infos = {} end,
    handle_demand = function() end,
    handle_cast = function(_, events) return events end,
    handle_info = function(self, message)
        table.insert(self.infos, message)
        if message == "stop" then
            return stagehost.stop "normal"
        end
    end,
    handle_call = function(self) return self.infos end,
}

local function source(partitions, options)
    partitions[1], partitions.partitions = "partition", 2
    partitions.hash = function(n) return n % 2 end
    options = options or {}
    options.dispatcher = partitions
    return start(Source, options)
end

local function ask(stage, n)
    stage:cast(n)
    stage:call()
end

local function sink(from, partition, n)
    local stage = start(Sink)
    local subscription = assert(stage:subscribe { to = from, partition = partition, cancel = "temporary" })
    stage:call()
    if n then
        ask(stage, n)
    end
    from:call()
    return stage, subscription
end

local function leave(subscription, from)
    subscription:unsubscribe()
    from:call()
end

local function emit(from, events)
    from:cast(events)
    from:call()
end

describe("events queued for a partition", function()
    it("wait for its next consumer", function()
        local p = source {}
        local _, first = sink(p, 1)
        sink(p, 0, 3)
        emit(p, { 1, 3, 5 })
        leave(first, p)
        assert.same({ 1, 3, 5 }, sink(p, 1, 9):call())
        assert.equal(0, p:stats().discarded_no_consumers)
    end)

    it("are discarded if told to, and so is what comes until the next consumer", function()
        local p = source { discard = true }
        emit(p, { 7 }) -- nobody has left yet
        local first, subscription = sink(p, 1, 1)
        local even = sink(p, 0, 5)
        assert.same({ 7 }, first:call())
        emit(p, { 1, 3 })
        p:notify "mark"
        assert.equal(2, p:stats().buffered)
        leave(subscription, p)
        assert.equal(2, p:stats().discarded_no_consumers)
        emit(p, { 5, 2, 9 })
        assert.equal(4, p:stats().discarded_no_consumers)
        local second = sink(p, 1)
        emit(p, { 11, 4 })
        ask(second, 9)
        p:call()
        assert.same({ 11 }, second:call())
        assert.same({ "mark", 2, 4 }, even:call())
        assert.equal(0, p:stats().buffered)
    end)

    it("are asked for again once they are discarded", function()
        local p = source { discard = true }
        local _, subscription = sink(p, 1)
        local even = sink(p, 0, 2)
        emit(p, { 1, 3 })
        assert.equal(0, p:stats().demand_in - 2)
        emit(p, { 2 })
        assert.same({}, even:call())
        leave(subscription, p)
        assert.same({ 2 }, even:call())
    end)

    it("are discarded by discard_buffer_when_no_consumers when the last consumer of all leaves", function()
        for _, rate in ipairs { false, { events = 1000, per_ms = 1 } } do
            local p = source({}, { discard_buffer_when_no_consumers = true, rate = rate or nil })
            local _, odd = sink(p, 1)
            local _, even = sink(p, 0, 6)
            emit(p, { 1, 3, 5 })
            leave(odd, p)
            assert.equal(3, p:stats().buffered) -- one is left that they hold up
            leave(even, p)
            assert.equal(3, p:stats().discarded_no_consumers)
            assert.equal(0, p:stats().buffered)
            emit(p, { 1, 2 }) -- the 3 events that even has asked for are owed
            assert.equal(5, p:stats().discarded_no_consumers)
            local again = sink(p, 1, 3)
            emit(p, { 7 })
            assert.same({ 7 }, again:call())
        end
    end)
end)

describe("an info behind events of a partition", function()
    it("waits for its consumer, and no longer when that leaves", function()
        local p = source {}
        local _, first = sink(p, 1)
        sink(p, 0, 3)
        emit(p, { 1, 3 })
        p:async_info "a"
        assert.same({}, p:call())
        leave(first, p)
        assert.same({ "a" }, p:call())
        p:async_info "b"
        assert.same({ "a", "b" }, p:call())
        local second = sink(p, 1)
        p:async_info "c"
        assert.same({ "a", "b" }, p:call())
        ask(second, 2)
        assert.same({ "a", "b", "c" }, p:call())
        assert.same({ 1, 3 }, second:call())
    end)

    it("waits for the consumer that replaces one that crashed, in a pipeline", function()
        local seen = {}
        local Events = stagehost.producer {
            init = function(self) self.is_done = false end,
            handle_demand = function(self)
                if not self.is_done then
                    self.is_done = true
                    self.stage:async_info "stop"
                    return { 1, 2, 3, 4 }
                end
            end,
            handle_info = function() return stagehost.stop "normal" end,
        }
        local Fragile = stagehost.consumer {
            handle_events = function(_, events)
                if events[1] == 1 then
                    error("lost with its consumer", 0)
                end
                for _, event in ipairs(events) do
                    seen[event] = true
                end
            end,
        }
        local pipeline = stagehost.pipeline {
            name = "leaving",
            stages = {
                { name = "events", stage = Events, worker = 0,
                    dispatcher = { "partition", partitions = 2, hash = function(n) return n % 2 end } },
                { name = "fragile", stage = Fragile, instances = 2, worker = 0,
                    subscribe_to = { { to = "events", max_demand = 1, min_demand = 0 } } },
            },
        }
        assert.equal("normal", select(2, assert(pipeline:start()):join()))
        assert.same({ [2] = true, [3] = true, [4] = true }, seen)
    end)

    it("ends a finite producer whose consumer of one partition has left", function()
        local p = source {}
        local odd, subscription = sink(p, 1, 1)
        local even = sink(p, 0, 9)
        emit(p, { 1, 2, 3, 4 })
        p:async_info "stop"
        assert.is_true(p:is_alive())
        leave(subscription, p)
        assert.equal("normal", p:join())
        assert.same({ 1 }, odd:call())
        assert.same({ 2, 4 }, even:call())
    end)
end)
