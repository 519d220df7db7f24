-- SPDX-License-Identifier: MIT
--
-- Much of everything, and consumers that behave badly: counted exactly, and nothing else harmed.
local stagehost = require "stagehost"

local Pushed = {
    init = function(self) self.discarded = 0 end,
    handle_cast = function(_, events) return events end,
    handle_call = function(self) return self.discarded end,
    format_discarded = function(self, count)
        self.discarded = self.discarded + count
        return false
    end,
}

--- A million events, a thousand at a time, into a producer nobody has subscribed to.
local function push_a_million(keep)
    local producer = assert(stagehost.start(stagehost.producer(Pushed), { buffer_size = 10, buffer_keep = keep }))
    for i = 0, 999 do
        local events = {}
        for k = 1, 1000 do
            events[k] = i * 1000 + k
        end
        producer:cast(events)
    end
    assert.equal(1000000 - 10, producer:call("discarded", math.huge))
    assert.equal(10, producer:buffered())
    local sink = assert(stagehost.start(stagehost.sink.collect(), {
        subscribe_to = { { to = producer, cancel = "temporary" } },
    }))
    producer:stop()
    local kept = sink:call("events", math.huge)
    sink:stop()
    return kept
end

describe("extremes", function()
    it("a million events into a buffer of ten: the last are kept, the others counted", function()
        local kept = push_a_million("last")
        assert.equal(10, #kept)
        assert.equal(999991, kept[1])
        assert.equal(1000000, kept[10])
    end)

    it("or the first", function()
        local kept = push_a_million("first")
        assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, kept)
    end)

    it("ten thousand stages started and stopped", function()
        local Idle = stagehost.consumer { handle_events = function() end }
        local stages = {}
        for i = 1, 10000 do
            stages[i] = assert(stagehost.start(Idle))
        end
        assert.is_true(stages[1]:is_alive() and stages[10000]:is_alive())
        for i = 1, 10000 do
            assert.is_true(stages[i]:stop())
            assert.is_false(stages[i]:is_alive())
        end
    end)

    it("a consumer that never asks gets nothing and harms nobody", function()
        local Silent = stagehost.consumer {
            init = function(self) self.seen = 0 end,
            handle_subscribe = function() return "manual" end,
            handle_events = function(self, events) self.seen = self.seen + #events end,
            handle_call = function(self) return self.seen end,
        }
        local numbers = {}
        for i = 1, 5000 do
            numbers[i] = i
        end
        local source = assert(stagehost.start(stagehost.source.list(numbers), { demand = "accumulate" }))
        local silent = assert(stagehost.start(Silent))
        assert(silent:subscribe { to = source, cancel = "temporary" })
        local eager = assert(stagehost.start(stagehost.sink.collect(), {
            subscribe_to = { { to = source, cancel = "temporary", max_demand = 7 } },
        }))
        source:demand("forward")
        source:join()
        assert.same(numbers, eager:call("events"))
        assert.equal(0, silent:call("seen"))
        eager:stop()
        silent:stop()
    end)

    it("deep recursion ends the stage with its error", function()
        local function deeper(n) return 1 + deeper(n + 1) end
        local Deep = stagehost.process { handle_call = function() return deeper(1) end }
        local stage = assert(stagehost.start(Deep, { name = "deep" }))
        local reply, message = stage:call("go", math.huge)
        assert.is_nil(reply)
        assert.matches("stack overflow", message)
        assert.is_false(stage:is_alive())
    end)

    it("a table with a cycle can't cross workers, and the error says where it is", function()
        if stagehost.workers() < 2 then
            pending("needs two workers")
            return
        end
        local Far = stagehost.process { handle_call = function(_, request) return request end }
        local far = assert(stagehost.start(Far, { worker = (stagehost.worker() + 1) % stagehost.workers() }))
        local cycle = { list = {} }
        cycle.list[1] = cycle
        local ok, message = pcall(far.call, far, cycle)
        assert.is_false(ok)
        assert.matches("contains itself", tostring(message))
        assert.matches('field "list"', tostring(message))
        assert.equal("still there", far:call("still there"))
        far:stop()
    end)
end)
