-- SPDX-License-Identifier: MIT

--- Pausing, resuming and leaving a subscription at run time.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

-- Counts from 1 as far as it is asked, up to `last`; emits what it is cast; notes who leaves.
local Counter = stagehost.producer {
    init = function(self, last)
        self.n, self.last, self.asked, self.left = 0, last or math.huge, 0, {}
    end,
    handle_demand = function(self, n)
        self.asked = self.asked + n
        local events = {}
        while #events < n and self.n < self.last do
            self.n = self.n + 1
            events[#events + 1] = self.n
        end
        return events
    end,
    handle_cancel = function(self, reason) table.insert(self.left, reason) end,
    handle_cast = function(_, events) return events end,
    handle_call = function(self, what) return self[what] end,
}

-- Keeps what it gets. An event that is `pause_at` pauses its subscription.
local callbacks = {
    init = function(self, args)
        self.got, self.reasons, self.pause_at = {}, {}, args and args.pause_at
    end,
    handle_events = function(self, events, from)
        for _, event in ipairs(events) do
            table.insert(self.got, event)
            if event == self.pause_at then
                from:pause()
            end
        end
    end,
    handle_notification = function(self, message) table.insert(self.got, message) end,
    handle_cancel = function(self, reason) table.insert(self.reasons, reason) end,
    handle_call = function(self, what) return self[what] end,
}
local Keeper = stagehost.consumer(callbacks)

local function numbers(first, last)
    local list = {}
    for i = first, last do
        list[#list + 1] = i
    end
    return list
end

--- Waits until the stages have nothing to do any more.
local function settle()
    stagehost.sleep(2)
end

local function eventually(f)
    for _ = 1, 2000 do
        if f() then
            return
        end
        stagehost.sleep(1)
    end
    error("it never came to that", 2)
end

for _, worker in ipairs { 0, stagehost.workers() - 1 } do
    describe(("on worker %d, a paused subscription"):format(worker), function()
        it("asks for nothing, and hands on nothing", function()
            local producer = start(Counter, { worker = worker })
            local keeper = start(Keeper)
            local sub = assert(keeper:subscribe { to = producer, max_demand = 10, cancel = "temporary" })
            eventually(function() return keeper:call("got")[20] end)
            sub:pause()
            local n = #keeper:call("got")
            stagehost.sleep(5)
            local asked = producer:call("asked")
            stagehost.sleep(5)
            assert.equal(n, #keeper:call("got"))
            assert.equal(asked, producer:call("asked"))
            sub:resume()
            eventually(function() return #keeper:call("got") > n + 100 end)
            sub:pause()
            local got = keeper:call("got")
            assert.same(numbers(1, #got), got)
            assert.is_true(asked <= n + 10)
        end)

        it("is left by unsubscribe, with what was sent before", function()
            local producer = start(Counter, { args = 8, worker = worker })
            local keeper = start(Keeper)
            local sub = assert(keeper:subscribe { to = producer, max_demand = 100 })
            sub:pause()
            eventually(function() return producer:call("asked") == 100 end)
            stagehost.unsubscribe(sub, "enough")
            eventually(function() return #keeper:call("reasons") > 0 end)
            sub:unsubscribe("again") -- does nothing
            sub:pause()
            assert.same(numbers(1, 8), keeper:call("got"))
            assert.same({ "enough" }, keeper:call("reasons"))
            assert.same({ "enough" }, producer:call("left"))
            assert.is_true(keeper:is_alive()) -- although the subscription was permanent
        end)
    end)
end

describe("pause", function()
    it("in handle_events holds the rest of the same message", function()
        local producer = start(Counter, { args = 30 })
        local keeper = start(Keeper, { args = { pause_at = 7 } })
        local sub = assert(keeper:subscribe { to = producer, max_demand = 30, min_demand = 25, cancel = "temporary" })
        settle()
        assert.same(numbers(1, 10), keeper:call("got")) -- the batch with 7 in it was begun
        assert.equal(20, keeper:stats().queued)
        stagehost.resume(sub)
        settle()
        assert.same(numbers(1, 30), keeper:call("got"))
    end)

    it("keeps the order of events, notifications and the end", function()
        local producer = start(Counter, { args = 0 })
        local keeper = start(Keeper)
        local sub = assert(keeper:subscribe { to = producer, cancel = "temporary" })
        settle()
        sub:pause()
        producer:cast { 1, 2 }
        producer:notify "between"
        producer:cast { 3 }
        producer:stop()
        settle()
        assert.same({}, keeper:call("got"))
        assert.same({}, keeper:call("reasons"))
        sub:resume()
        settle()
        assert.same({ 1, 2, "between", 3 }, keeper:call("got"))
        assert.same({ "normal" }, keeper:call("reasons"))
    end)

    it("leaves the other subscriptions of the consumer alone", function()
        local one, other = start(Counter, { args = 0 }), start(Counter, { args = 0 })
        local keeper = start(Keeper)
        local sub = assert(keeper:subscribe { to = one, cancel = "temporary" })
        assert(keeper:subscribe { to = other, cancel = "temporary" })
        settle()
        stagehost.pause(sub)
        one:cast { "one" }
        other:cast { "other" }
        settle()
        assert.same({ "other" }, keeper:call("got"))
        stagehost.resume(sub)
        settle()
        assert.same({ "other", "one" }, keeper:call("got"))
    end)

    it("works while handle_events waits", function()
        local producer = start(Counter, { args = 20 })
        local Slow = stagehost.consumer {
            init = callbacks.init,
            handle_events = function(self, events)
                stagehost.sleep(5)
                for _, event in ipairs(events) do
                    table.insert(self.got, event)
                end
            end,
            handle_call = callbacks.handle_call,
        }
        local slow = start(Slow)
        local sub = assert(slow:subscribe { to = producer, max_demand = 20, cancel = "temporary" })
        stagehost.sleep(1)
        sub:pause()
        assert.same(numbers(1, 10), slow:call("got"))
        stagehost.sleep(10)
        assert.same(numbers(1, 10), slow:call("got"))
        sub:resume()
        eventually(function() return #slow:call("got") == 20 end)
        assert.same(numbers(1, 20), slow:call("got"))
    end)

    it("on a producer_consumer holds its input; an orderly end waits behind it", function()
        local a, b = start(Counter, { args = 0 }), start(Counter, { args = 0 })
        local Middle = stagehost.producer_consumer { handle_events = function(_, events) return events end }
        local middle, keeper = start(Middle), start(Keeper)
        assert(keeper:subscribe { to = middle, cancel = "temporary" })
        local sub = assert(middle:subscribe { to = a, cancel = "temporary" })
        assert(middle:subscribe { to = b, cancel = "temporary" })
        settle()
        sub:pause()
        a:cast { 1, 2 }
        a:notify "between"
        b:cast { "b" }
        a:cast { 3 }
        a:stop()
        settle()
        assert.same({ "b" }, keeper:call("got"))
        assert.equal(3, middle:stats().queued)
        assert.equal(1, middle:stats().producers)
        sub:resume()
        settle()
        assert.same({ "b", 1, 2, "between", 3 }, keeper:call("got"))
        assert.is_true(middle:is_alive())
    end)

    it("is undone when the stage ends in order because of another producer", function()
        local a, b = start(Counter, { args = 0 }), start(Counter, { args = 0 })
        local Middle = stagehost.producer_consumer { handle_events = function(_, events) return events end }
        local middle, keeper = start(Middle), start(Keeper)
        assert(keeper:subscribe { to = middle, cancel = "temporary", max_demand = 2 })
        local sub = assert(middle:subscribe { to = a })
        assert(middle:subscribe { to = b })
        settle()
        sub:pause()
        a:cast { 1, 2, 3 }
        settle()
        b:stop()
        assert.equal("normal", middle:join())
        assert.same({ 1, 2, 3 }, keeper:call("got"))
        assert.equal(0, middle:stats().unfinished)
    end)

    it("does nothing to a subscription that has ended, and is counted at a stop", function()
        local producer = start(Counter, { args = 5 })
        local keeper = start(Keeper)
        local sub = assert(keeper:subscribe { to = producer, cancel = "temporary" })
        local other = assert(keeper:subscribe { to = producer, cancel = "temporary" })
        settle()
        other:unsubscribe()
        settle()
        other:pause()
        other:resume()
        other:unsubscribe()
        sub:pause()
        producer:cast { 6, 7 }
        settle()
        keeper:stop()
        assert.equal(2, keeper:stats().discarded_stopped)
        sub:resume()
        assert.error_matches(function() stagehost.pause(producer) end, "expected a subscription")
    end)
end)

describe("unsubscribe", function()
    it("does not touch demand that other consumers have", function()
        local producer = start(Counter, { args = 0 })
        local leaving, staying = start(Keeper), start(Keeper)
        local sub = assert(leaving:subscribe { to = producer, max_demand = 100 })
        assert(staying:subscribe { to = producer, max_demand = 10, cancel = "temporary" })
        settle()
        sub:unsubscribe()
        settle()
        producer:cast { 1, 2, 3 }
        settle()
        assert.same({}, leaving:call("got"))
        assert.same({ 1, 2, 3 }, staying:call("got"))
        assert.same({ "normal" }, leaving:call("reasons"))
    end)

    it("does not end the consumer when the producer dies before it has heard of it", function()
        local producer = start(Counter, { args = 0 })
        local keeper = start(Keeper)
        local sub = assert(keeper:subscribe { to = producer })
        producer:cast { 1 }
        producer:kill()
        sub:unsubscribe()
        producer:join()
        settle()
        assert.is_true(keeper:is_alive())
        assert.equal(1, #keeper:call("reasons"))
    end)
end)
