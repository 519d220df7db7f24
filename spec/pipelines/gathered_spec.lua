-- SPDX-License-Identifier: MIT

--- Events that are emitted a few at a time for consumers on another worker, where they come in larger batches.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

local FAR = (stagehost.worker() + 1) % stagehost.workers()

--- Emits what it is sent, one event at a time, in one table that it changes each time.
local Source = stagehost.producer {
    handle_demand = function() end,
    handle_cast = function(self, n)
        self.event = self.event or {}
        self.event.n = n
        return { self.event }
    end,
}

local Sink = stagehost.consumer {
    init = function(self) self.seen, self.batches = {}, 0 end,
    handle_events = function(self, events)
        self.batches = self.batches + 1
        for _, event in ipairs(events) do
            table.insert(self.seen, event.n)
        end
    end,
    handle_call = function(self) return { seen = self.seen, batches = self.batches } end,
}

local function send(source, first, last)
    for n = first, last do
        source:cast(n)
    end
end

--- Waits until a sink has seen so many events.
local function await(sink, expected)
    local got
    repeat
        got = sink:call {}
    until #got.seen >= expected
    return got
end

local function range(first, last, step)
    local list = {}
    for n = first, last, step or 1 do
        list[#list + 1] = n
    end
    return list
end

describe("events emitted one by one for another worker", function()
    it("come as they were when they were emitted, in order, in fewer batches", function()
        local source = start(Source)
        local sink = start(Sink, { worker = FAR, subscribe_to = source })
        send(source, 1, 500)
        local got = await(sink, 500)
        assert.same(range(1, 500), got.seen)
        assert.is_true(got.batches < 250, tostring(got.batches))
    end)

    it("do so for each partition", function()
        local source = start(Source, {
            dispatcher = { "partition", partitions = 2, hash = function(event) return event.n % 2 end },
        })
        local even = start(Sink, { worker = FAR, subscribe_to = { source, partition = 0 } })
        local odd = start(Sink, { worker = FAR, subscribe_to = { source, partition = 1 } })
        send(source, 1, 500)
        local evens, odds = await(even, 250), await(odd, 250)
        assert.same(range(2, 500, 2), evens.seen)
        assert.same(range(1, 499, 2), odds.seen)
        assert.is_true(evens.batches < 125 and odds.batches < 125)
    end)

    it("fail alone if they can't cross", function()
        local source = start(Source)
        local sink = start(Sink, { worker = FAR, subscribe_to = { source, cancel = "temporary" } })
        send(source, 1, 10)
        await(sink, 10)
        send(source, 11, 20)
        source:cast(print)
        send(source, 21, 30)
        local reason = source:join()
        assert.is_truthy(tostring(reason.message or reason):find('field "n"', 1, true), tostring(reason))
        assert.same(range(1, 20), await(sink, 20).seen)
    end)
end)
