-- SPDX-License-Identifier: MIT

--- Batches of a size on a subscription.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local uv = stagehost.uv
local start = stages.start

after_each(stages.stop_all)

-- Emits what it is cast, and counts on its own from 1 to `last` as it is asked.
local Counter = stagehost.producer {
    init = function(self, last) self.n, self.last, self.asked = 0, last or 0, 0 end,
    handle_demand = function(self, n)
        self.asked = self.asked + n
        local events = {}
        while #events < n and self.n < self.last do
            self.n = self.n + 1
            events[#events + 1] = self.n
        end
        return events
    end,
    handle_cast = function(_, events) return events end,
    handle_call = function(self, what) return self[what] end,
}

local callbacks = {
    init = function(self) self.sizes, self.got, self.log = {}, {}, {} end,
    handle_events = function(self, events)
        table.insert(self.sizes, #events)
        for _, event in ipairs(events) do
            table.insert(self.got, event)
        end
        return self.produces and events or nil
    end,
    handle_notification = function(self, message) table.insert(self.log, { message, #self.got }) end,
    handle_cancel = function(self, reason) table.insert(self.log, { reason, #self.got }) end,
    handle_call = function(self, what) return self[what] end,
}
local middle_callbacks = { produces = true }
for name, callback in pairs(callbacks) do
    middle_callbacks[name] = name ~= "handle_notification" and callback or nil
end
local Keeper, Middle = stagehost.consumer(callbacks), stagehost.producer_consumer(middle_callbacks)

local LONG = 1000000

local function numbers(first, last)
    local list = {}
    for i = first, last do
        list[#list + 1] = i
    end
    return list
end

local function eventually(f)
    for _ = 1, 5000 do
        if f() then
            return
        end
        stagehost.sleep(1)
    end
    error("it never came to that", 2)
end

local function has(keeper, n)
    eventually(function() return #keeper:call("got") >= n end)
    assert.same(numbers(1, n), keeper:call("got"))
end

local function all_sizes(keeper, size)
    for _, n in ipairs(keeper:call("sizes")) do
        assert.equal(size, n)
    end
end

describe("a subscription with a batch size", function()
    for _, case in ipairs {
        { size = 4, max = 10, min = 0 },
        { size = 10, max = 10, min = 5 },
        { size = 7, max = 10, min = 9 },
        { size = 1, max = 1, min = 0 },
        { size = 300, max = 1000, min = 500 },
        { size = 1000, max = 1000, min = 0 },
    } do
        it(("of %d, max_demand %d, min_demand %d gets whole batches as long as events come"):format(case.size,
            case.max, case.min), function()
            local n = case.size * 7
            local producer = start(Counter, { args = n, worker = stagehost.workers() - 1 })
            local keeper = start(Keeper)
            assert(keeper:subscribe {
                to = producer, max_demand = case.max, min_demand = case.min, cancel = "temporary",
                batch = { size = case.size, timeout_ms = LONG },
            })
            has(keeper, n)
            all_sizes(keeper, case.size)
        end)
    end

    it("puts together what comes in small pieces, and never asks for more than max_demand", function()
        local producer = start(Counter)
        local keeper = start(Keeper)
        local sub = assert(keeper:subscribe {
            to = producer, max_demand = 10, cancel = "temporary", batch = { size = 6, timeout_ms = LONG },
        })
        for i = 1, 12 do
            producer:cast { i }
            stagehost.sleep(0)
            assert.is_true(sub:stats("consumer").outstanding <= 10)
        end
        has(keeper, 12)
        assert.same({ 6, 6 }, keeper:call("sizes"))
        assert.equal(12, sub:stats("consumer").events)
        assert.equal(22, producer:call("asked"))
    end)

    it("hands a partial batch on after its time, without another event", function()
        local producer = start(Counter)
        local keeper = start(Keeper)
        assert(keeper:subscribe { to = producer, cancel = "temporary", batch = { size = 100, timeout_ms = 20 } })
        local began = uv.hrtime()
        producer:cast { 1, 2 }
        producer:cast { 3 }
        has(keeper, 3)
        assert.is_true(uv.hrtime() - began >= 20e6)
        assert.same({ 3 }, keeper:call("sizes"))
        began = uv.hrtime() -- and again
        producer:cast { 4 }
        has(keeper, 4)
        assert.is_true(uv.hrtime() - began >= 20e6)
    end)

    it("hands it on before a notification, and at the producer's end", function()
        local producer = start(Counter)
        local keeper = start(Keeper)
        assert(keeper:subscribe { to = producer, cancel = "temporary", batch = { size = 4, timeout_ms = LONG } })
        producer:cast(numbers(1, 6))
        producer:notify "half"
        producer:cast { 7 }
        producer:stop()
        has(keeper, 7)
        eventually(function() return #keeper:call("log") == 2 end)
        assert.same({ 4, 2, 1 }, keeper:call("sizes"))
        assert.same({ { "half", 6 }, { "normal", 7 } }, keeper:call("log"))
    end)

    it("hands it on when it is unsubscribed or cancelled", function()
        for _, method in ipairs { "unsubscribe", "cancel" } do
            local producer = start(Counter)
            local keeper = start(Keeper)
            local sub = assert(keeper:subscribe {
                to = producer, cancel = "temporary", batch = { size = 4, timeout_ms = LONG },
            })
            producer:cast { 1 }
            eventually(function() return sub:stats("consumer").events == 1 end)
            sub[method](sub, "enough")
            eventually(function() return #keeper:call("log") == 1 end)
            assert.same({ { "enough", 1 } }, keeper:call("log"))
        end
    end)

    it("keeps order while it is paused; the time of a partial batch goes on", function()
        local producer = start(Counter)
        local keeper = start(Keeper)
        local sub = assert(keeper:subscribe {
            to = producer, cancel = "temporary", batch = { size = 4, timeout_ms = 5 },
        })
        producer:cast { 1, 2, 3, 4, 5 }
        stagehost.sleep(1)
        sub:pause()
        producer:cast { 6, 7 }
        stagehost.sleep(10)
        producer:cast { 8, 9, 10 }
        producer:notify "paused"
        stagehost.sleep(5)
        local before = #keeper:call("got") -- 4, or 5 where the pause came late
        sub:resume()
        has(keeper, 10)
        assert.is_true(before <= 5)
        eventually(function() return #keeper:call("log") == 1 end)
        assert.same({ { "paused", 10 } }, keeper:call("log"))
    end)

    it("works on a producer_consumer", function()
        local producer = start(Counter, { args = 100 })
        local middle, keeper = start(Middle), start(Keeper)
        assert(keeper:subscribe { to = middle, cancel = "temporary" })
        assert(middle:subscribe {
            to = producer, max_demand = 20, cancel = "temporary", batch = { size = 15, timeout_ms = LONG },
        })
        eventually(function() return #keeper:call("got") == 90 end)
        producer:notify "almost"
        has(keeper, 100)
        eventually(function() return keeper:call("log")[1] end)
        assert.same({ "almost", 100 }, keeper:call("log")[1])
        assert.same({ 15, 15, 15, 15, 15, 15, 10 }, middle:call("sizes"))
        producer:cast { 101 }
        producer:stop()
        has(keeper, 101)
    end)

    it("goes on, whole or not, when a producer_consumer ends in order", function()
        local producer, other = start(Counter, { args = 3 }), start(Counter)
        local middle, keeper = start(Middle), start(Keeper)
        assert(keeper:subscribe { to = middle, cancel = "temporary" })
        local sub = assert(middle:subscribe {
            to = producer, cancel = "temporary", batch = { size = 4, timeout_ms = LONG },
        })
        assert(middle:subscribe { to = other, cancel = "permanent" })
        eventually(function() return sub:stats("consumer").events == 3 end)
        other:stop()
        middle:join()
        has(keeper, 3)
        assert.equal(0, middle:stats().unfinished)
    end)

    it("counts what it holds at a kill as unfinished", function()
        local producer = start(Counter)
        local keeper = start(Keeper)
        local sub = assert(keeper:subscribe {
            to = producer, cancel = "temporary", batch = { size = 4, timeout_ms = LONG },
        })
        producer:cast { 1, 2 }
        eventually(function() return sub:stats("consumer").events == 2 end)
        assert.equal(2, keeper:stats().queued)
        keeper:stop()
        assert.equal(2, keeper:stats().discarded_stopped)
    end)

    it("is refused where no batch could ever be whole", function()
        local producer, keeper = start(Counter), start(Keeper)
        local function with(batch, more)
            return function()
                local opts = { to = producer, batch = batch }
                for key, value in pairs(more or {}) do
                    opts[key] = value
                end
                keeper:subscribe(opts)
            end
        end
        assert.error_matches(with({ size = 11, timeout_ms = 1 }, { max_demand = 10 }),
            'option "batch" must have a size of at most 10 %(max_demand%)')
        assert.error_matches(with({ size = 5, timeout_ms = 1 }, { rate = { events = 4, per_ms = 10 } }),
            'option "batch" must have a size of at most 4 %(events of the rate%)')
        assert.error_matches(with { size = 5 }, "needs timeout_ms, which must be an integer")
        assert.error_matches(with(5), "must be a table such as { size = 100, timeout_ms = 50 }, got 5")
    end)
end)
