-- SPDX-License-Identifier: MIT

--- Groups of consumers in a partition, and limits of its queue, end to end.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start
local Sink = stages.Sink

after_each(stages.stop_all)

--- Emits what it is cast; knows what it is asked for.
local Source = stagehost.producer {
    init = function(self) self.asked, self.discarded = 0, 0 end,
    handle_demand = function(self, n) self.asked = self.asked + n end,
    handle_cast = function(_, events) return events end,
    handle_call = function(self, what) return self[what] end,
    format_discarded = function(self, n)
        self.discarded = self.discarded + n
        return false
    end,
}

local function ask(stage, n)
    stage:cast(n)
    stage:call("sync")
end

local function sink(source, partition, n)
    local stage = start(Sink)
    assert(stage:subscribe { to = source, partition = partition, cancel = "temporary" })
    stage:call("sync")
    if n then
        ask(stage, n)
    end
    source:buffered()
    return stage
end

local function source(options)
    options[1], options.partitions = "partition", 2
    options.hash = function(n) return n % 2 end
    return start(Source, { dispatcher = options })
end

describe("a partition dispatcher", function()
    it("spreads a partition over a group of consumers, largest demand first", function()
        local p = source { groups = true }
        local a, b, c = sink(p, 0, 1), sink(p, 0, 3), sink(p, 1, 10)
        p:cast { 2, 4, 6, 8, 1 }
        p:notify "mark"
        p:buffered()
        assert.same({ 8, "mark" }, a:call("events"))
        assert.same({ 2, 4, 6, "mark" }, b:call("events"))
        assert.same({ 1, "mark" }, c:call("events"))
        p:cast { 10 } -- queued for whoever of the group asks
        b:kill()
        b:join()
        ask(a, 1)
        p:buffered()
        assert.same({ 8, "mark", 10 }, a:call("events"))
    end)

    it("refuses a second consumer without groups", function()
        local p = source {}
        sink(p, 0)
        local second = start(Sink)
        assert(second:subscribe { to = p, partition = 0 })
        assert.equal("partition_taken", second:join())
    end)

    it("asks on for other partitions while a busy one is below its limit", function()
        local p = source { limit = 100 }
        local even = sink(p, 0)
        local odd = sink(p, 1, 1)
        for i = 1, 100 do
            p:cast { 2 * i }
        end
        assert.equal(101, p:call "asked")
        p:cast { 202 } -- above the limit: the one event that odd wants can't be asked for any more
        assert.equal(101, p:call "asked")
        p:cast { 1 }
        assert.equal(1, p:buffered())
        assert.same({}, odd:call("events"))
        ask(even, 50)
        p:buffered()
        assert.equal(50, #even:call("events"))
        assert.same({ 1 }, odd:call("events"))
    end)

    it("discards what is above the limit if told to, and counts it", function()
        for keep, expected in pairs { first = { 2, 4, 6 }, last = { 16, 18, 20 } } do
            local p = source { limit = 3, overflow = "discard", keep = keep }
            local even = sink(p, 0)
            local odd = sink(p, 1, 5)
            for i = 1, 10 do
                p:cast { 2 * i }
            end
            p:cast { 1, 3 }
            assert.equal(7, p:call "discarded")
            assert.same({ 1, 3 }, odd:call("events"))
            assert.equal(7, p:stats().discarded_full)
            ask(even, 10)
            p:buffered()
            assert.same(expected, even:call("events"))
        end
    end)

    it("hands on what is queued for a group before it ends", function()
        local p = source { groups = true, limit = 10 }
        local a = sink(p, 0)
        local b = sink(p, 0)
        p:cast { 2, 4, 6 }
        ask(b, 1)
        local stopper = start(stagehost.process {
            handle_cast = function() p:stop("normal") end,
        })
        stopper:cast "stop it"
        ask(a, 1)
        ask(b, 1)
        assert.equal("normal", p:join())
        assert.same({ 4 }, a:call("events"))
        assert.same({ 2, 6 }, b:call("events"))
    end)
end)
