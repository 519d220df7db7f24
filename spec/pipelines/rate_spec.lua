-- SPDX-License-Identifier: MIT

--- Rates. Only lower bounds of time are asserted, between instants that are outside of what was limited:
--- N events at `events` per `per_ms` take at least as many whole windows as must pass between the first
--- and the last of them.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local uv = stagehost.uv
local start = stages.start

after_each(stages.stop_all)

-- Counts from 1 to `last`, as it is asked, and notes the largest demand.
local Counter = stagehost.producer {
    init = function(self, last)
        self.n, self.last, self.largest = 0, last, 0
    end,
    handle_demand = function(self, n)
        self.largest = math.max(self.largest, n)
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

local Keeper = stagehost.consumer {
    init = function(self) self.got, self.told = {}, {} end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.got, event)
        end
    end,
    handle_notification = function(self, message) table.insert(self.told, { message, #self.got }) end,
    handle_call = function(self, what) return self[what] end,
}

local Pass = stagehost.producer_consumer { handle_events = function(_, events) return events end }

local function numbers(n)
    local list = {}
    for i = 1, n do
        list[i] = i
    end
    return list
end

--- Waits until the keepers have `n` events in all, and answers how many milliseconds that took since
--- `began`.
local function wait_for(n, began, ...)
    for _ = 1, 20000 do
        local sum = 0
        for _, keeper in ipairs { ... } do
            sum = sum + #keeper:call("got")
        end
        if sum >= n then
            assert.equal(n, sum)
            return (uv.hrtime() - began) / 1e6
        end
        stagehost.sleep(1)
    end
    error("they never came", 2)
end

--- How long `n` events have to take at least.
local function least_ms(n, rate)
    return (math.ceil(n / rate.events) - 1) * rate.per_ms
end

local rate = { events = 20, per_ms = 40 }

describe("the rate of a producer", function()
    it("is kept, in order, and no more is asked of handle_demand than may be sent", function()
        local producer = start(Counter, { args = 100, rate = rate })
        local keeper = start(Keeper)
        local began = uv.hrtime()
        assert(keeper:subscribe { to = producer, cancel = "temporary" })
        assert.is_true(wait_for(100, began, keeper) >= least_ms(100, rate))
        assert.same(numbers(100), keeper:call("got"))
        assert.is_true(producer:call("largest") <= 20)
        assert.equal(0, producer:buffered())
    end)

    it("makes what comes unasked wait in the buffer; a drain of it respects the rate", function()
        local producer = start(Counter, { args = 0, rate = rate })
        local keeper = start(Keeper)
        local began = uv.hrtime()
        assert(keeper:subscribe { to = producer, cancel = "temporary" })
        producer:cast(numbers(50))
        producer:cast { 51 }
        producer:notify "all"
        assert.is_true(producer:stop())
        assert.is_true((uv.hrtime() - began) / 1e6 >= least_ms(51, rate))
        wait_for(51, began, keeper)
        assert.same(numbers(51), keeper:call("got"))
        assert.same({ { "all", 51 } }, keeper:call("told"))
    end)

    it("counts an event of a broadcast once", function()
        local producer = start(Counter, { args = 60, rate = rate, dispatcher = "broadcast", demand = "accumulate" })
        local a, b = start(Keeper), start(Keeper)
        local began = uv.hrtime()
        assert(a:subscribe { to = producer, cancel = "temporary" })
        assert(b:subscribe { to = producer, cancel = "temporary" })
        producer:demand("forward")
        assert.is_true(wait_for(120, began, a, b) >= least_ms(60, rate))
        assert.same(numbers(60), a:call("got"))
        assert.same(numbers(60), b:call("got"))
    end)

    it("limits what partitions let go later, too", function()
        local producer = start(Counter, {
            args = 0, rate = rate,
            dispatcher = { "partition", partitions = 2, hash = function(event) return event % 2 end },
        })
        local even, odd = start(Keeper), start(Keeper)
        assert(even:subscribe { to = producer, partition = 0, cancel = "temporary" })
        producer:cast(numbers(60))
        wait_for(30, uv.hrtime(), even)
        local began = uv.hrtime() -- the odd ones stand in the queue of their partition
        assert(odd:subscribe { to = producer, partition = 1, cancel = "temporary", max_demand = 100 })
        assert.is_true(wait_for(30, began, odd) >= least_ms(30, rate))
        local got = odd:call("got")
        for i = 1, 30 do
            assert.equal(2 * i - 1, got[i])
        end
    end)

    it("lets a producer with partitions end in order, also when one of the consumers has left", function()
        local producer = start(Counter, {
            args = 0, rate = rate,
            dispatcher = { "partition", partitions = 2, hash = function(event) return event % 2 end },
        })
        local even, odd = start(Keeper), start(Keeper)
        local began = uv.hrtime()
        assert(even:subscribe { to = producer, partition = 0, cancel = "temporary", max_demand = 5 })
        local leaving = assert(odd:subscribe { to = producer, partition = 1, cancel = "temporary", max_demand = 1 })
        stagehost.sleep(2)
        leaving:unsubscribe()
        producer:cast(numbers(60))
        producer:stop()
        assert.is_true(wait_for(30 + #odd:call("got"), began, even, odd) >= least_ms(30, rate))
        for i, event in ipairs(even:call("got")) do
            assert.equal(2 * i, event)
        end
    end)

    it("works on a producer_consumer, whose input waits", function()
        local producer = start(Counter, { args = 70 })
        local pass = start(Pass, { rate = rate })
        local keeper = start(Keeper)
        local began = uv.hrtime()
        assert(keeper:subscribe { to = pass, cancel = "temporary" })
        assert(pass:subscribe { to = producer, max_demand = 10, cancel = "temporary" })
        assert.is_true(wait_for(70, began, keeper) >= least_ms(70, rate))
        assert.same(numbers(70), keeper:call("got"))
    end)

    it("serves consumers that come and go while it waits", function()
        local producer = start(Counter, { args = 60, rate = rate })
        local first, second = start(Keeper), start(Keeper)
        local began = uv.hrtime()
        local sub = assert(first:subscribe { to = producer, max_demand = 5 })
        wait_for(#first:call("got"), began, first)
        stagehost.sleep(20)
        sub:unsubscribe()
        stagehost.sleep(5)
        assert(second:subscribe { to = producer, cancel = "temporary" })
        wait_for(60, began, first, second)
        local all = first:call("got")
        for _, event in ipairs(second:call("got")) do
            table.insert(all, event)
        end
        assert.same(numbers(60), all)
    end)

    it("ends with its stage while a timer runs", function()
        local producer = start(Counter, { args = 100, rate = { events = 1, per_ms = 60000 } })
        local keeper = start(Keeper)
        assert(keeper:subscribe { to = producer, cancel = "temporary" })
        wait_for(1, uv.hrtime(), keeper)
        producer:kill()
        producer:join()
    end)

    it("is refused when it is none", function()
        local function with(value)
            return function()
                start(Counter, { args = 1, rate = value })
            end
        end
        assert.error_matches(with(5), 'option "rate" must be a table such as { events = 100, per_ms = 1000 }, got 5')
        assert.error_matches(with { events = 5 }, "needs per_ms, which .*%(it is nil%)")
        assert.error_matches(with { events = 0, per_ms = 1 }, "needs events, which must be at least 1")
        assert.error_matches(with { events = 1, per_ms = 1, burst = 2 }, 'unknown field "burst"')
        assert.error_matches(function() start(Keeper, { rate = rate }) end, 'unknown option "rate" of a consumer')
    end)
end)

describe("the rate of a subscription", function()
    for _, worker in ipairs { 0, stagehost.workers() - 1 } do
        it("limits what handle_events is given, in order; producer on worker " .. worker, function()
            local producer = start(Counter, { args = 100, worker = worker })
            local keeper = start(Keeper)
            local began = uv.hrtime()
            local sub = assert(keeper:subscribe { to = producer, cancel = "temporary", rate = rate, max_demand = 30 })
            assert.is_true(wait_for(100, began, keeper) >= least_ms(100, rate))
            assert.same(numbers(100), keeper:call("got"))
            assert.is_true(sub:stats("consumer").outstanding <= 30)
        end)
    end

    it("leaves other subscriptions of the consumer alone, and the end waits behind the events", function()
        local slow, fast = start(Counter, { args = 0 }), start(Counter, { args = 0 })
        local keeper = start(Keeper)
        local began = uv.hrtime()
        assert(keeper:subscribe { to = slow, cancel = "temporary", rate = { events = 1, per_ms = 30 } })
        assert(keeper:subscribe { to = fast, cancel = "temporary" })
        stagehost.sleep(2)
        slow:cast { 1, 2, 3 }
        slow:notify "slow"
        slow:stop()
        fast:cast { "fast" }
        wait_for(4, began, keeper)
        assert.is_true((uv.hrtime() - began) / 1e6 >= 60)
        assert.same({ 1, "fast", 2, 3 }, keeper:call("got"))
        assert.same({ { "slow", 4 } }, keeper:call("told"))
    end)

    it("with a batch size lets whole batches pass", function()
        local producer = start(Counter, { args = 60 })
        local Sizes = stagehost.consumer {
            init = function(self) self.got = {} end,
            handle_events = function(self, events)
                table.insert(self.got, #events)
            end,
            handle_call = function(self, what) return self[what] end,
        }
        local keeper = start(Sizes)
        local began = uv.hrtime()
        assert(keeper:subscribe {
            to = producer, cancel = "temporary", rate = rate, batch = { size = 15, timeout_ms = 100000 },
        })
        assert.is_true(wait_for(4, began, keeper) >= least_ms(60, rate))
        assert.same({ 15, 15, 15, 15 }, keeper:call("got"))
    end)

    it("works on a producer_consumer and on one that asks by hand", function()
        local producer = start(Counter, { args = 50 })
        local Asking = stagehost.producer_consumer {
            handle_subscribe = function(_, kind, _, from)
                if kind == "producer" then
                    stagehost.ask(from, 50)
                    return "manual"
                end
            end,
            handle_events = function(_, events) return events end,
        }
        local middle, keeper = start(Asking), start(Keeper)
        assert(keeper:subscribe { to = middle, cancel = "temporary" })
        local began = uv.hrtime()
        assert(middle:subscribe { to = producer, cancel = "temporary", rate = rate })
        assert.is_true(wait_for(50, began, keeper) >= least_ms(50, rate))
        assert.same(numbers(50), keeper:call("got"))
    end)

    it("may be paused and left while it waits", function()
        local producer = start(Counter, { args = 1000 })
        local keeper = start(Keeper)
        local sub = assert(keeper:subscribe { to = producer, rate = { events = 2, per_ms = 10 }, max_demand = 10 })
        stagehost.sleep(12)
        sub:pause()
        local n = #keeper:call("got")
        stagehost.sleep(15)
        assert.equal(n, #keeper:call("got"))
        sub:resume()
        sub:unsubscribe()
        local all = #keeper:call("got")
        while keeper:stats().producers > 0 do
            stagehost.sleep(1)
        end
        assert.is_true(all <= #keeper:call("got"))
        assert.same(numbers(#keeper:call("got")), keeper:call("got"))
        assert.is_true(keeper:is_alive())
    end)
end)
