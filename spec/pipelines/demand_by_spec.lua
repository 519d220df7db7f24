-- SPDX-License-Identifier: MIT

--- The option demand_by: handle_demand sees who asked.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

--- Writes down who asks; emits what it is cast.
local Source = stagehost.producer {
    init = function(self) self.asks = {} end,
    handle_demand = function(self, demand, by, ...)
        local ask = { demand = demand, n = select("#", ...) }
        for i, entry in ipairs(by or {}) do
            ask[i] = { name = entry.from.consumer.name, demand = entry.demand, partition = entry.partition }
        end
        table.insert(self.asks, ask)
    end,
    handle_cast = function(_, events) return events end,
    handle_call = function(self)
        local asks = self.asks
        self.asks = {}
        return asks
    end,
}

--- Asks for as many as it is cast.
local Sink = stagehost.consumer {
    handle_subscribe = function(self, _, _, from)
        self.from = from
        return "manual"
    end,
    handle_cast = function(self, n) stagehost.ask(self.from, n) end,
    handle_events = function() end,
    handle_call = function() return true end,
}

local function ask(stage, n)
    stage:cast(n)
    stage:call("sync")
end

local function sink(source, name, options)
    local stage = start(Sink, { name = name })
    options = options or {}
    options.to = source
    assert(stage:subscribe(options))
    return stage
end

describe("demand_by", function()
    it("lists all open demand by subscription", function()
        for _, dispatcher in ipairs { "demand", "fair" } do
            local source = start(Source, { demand_by = true, dispatcher = dispatcher })
            local a, b = sink(source, "a", { cancel = "temporary" }), sink(source, "b")
            ask(a, 3)
            ask(b, 5)
            ask(a, 1)
            assert.same({
                { demand = 3, n = 0, { name = "a", demand = 3 } },
                { demand = 5, n = 0, { name = "a", demand = 3 }, { name = "b", demand = 5 } },
                { demand = 1, n = 0, { name = "a", demand = 4 }, { name = "b", demand = 5 } },
            }, source:call("asks"))
            source:cast { 1, 2, 3, 4, 5, 6 }
            source:buffered()
            ask(b, 1)
            local last = source:call("asks")[1]
            assert.equal(1, last.demand)
            assert.equal(4, last[1].demand + last[2].demand)
            a:kill()
            a:join()
            ask(b, 10)
            last = source:call("asks")[1]
            assert.equal(1, #last)
            assert.equal("b", last[1].name)
            stages.stop_all()
        end
    end)

    it("names partitions as the options did", function()
        local source = start(Source, {
            demand_by = true,
            dispatcher = { "partition", partitions = { "odd", 7 }, groups = true, hash = function() return 7 end },
        })
        local a, b, c = sink(source, "a", { partition = "odd" }), sink(source, "b", { partition = 7 }),
            sink(source, "c", { partition = 7 })
        ask(a, 1)
        ask(b, 2)
        ask(c, 3)
        assert.same({
            demand = 3, n = 0,
            { name = "a", demand = 1, partition = "odd" },
            { name = "b", demand = 2, partition = 7 },
            { name = "c", demand = 3, partition = 7 },
        }, source:call("asks")[3])
        source:cast { 1 } -- queued for nobody: c is largest
        source:buffered()
        ask(a, 1)
        assert.same({
            demand = 1, n = 0,
            { name = "a", demand = 2, partition = "odd" },
            { name = "b", demand = 2, partition = 7 },
            { name = "c", demand = 2, partition = 7 },
        }, source:call("asks")[1])
    end)

    it("lets a producer serve a partition that asks while another does not", function()
        --- Has plenty of both; emits for who asks only.
        local Fair = stagehost.producer {
            init = function(self) self.next = { [0] = 0, [1] = 1 } end,
            handle_demand = function(self, demand, by)
                local events = {}
                for _, entry in ipairs(by) do
                    for _ = 1, math.min(entry.demand, demand - #events) do
                        local n = self.next[entry.partition]
                        events[#events + 1] = n
                        self.next[entry.partition] = n + 2
                    end
                end
                return events
            end,
        }
        local Last = stagehost.consumer {
            init = function(self) self.last = -1 end,
            handle_events = function(self, events)
                self.last = events[#events]
                if self.asker and self.last >= self.wanted then
                    self.asker:reply(self.last)
                    self.asker = nil
                end
            end,
            handle_call = function(self, wanted, from)
                if self.last >= wanted then
                    return self.last
                end
                self.asker, self.wanted = from, wanted
                return stagehost.noreply
            end,
        }
        local source = start(Fair, {
            demand_by = true,
            dispatcher = { "partition", partitions = 2, hash = function(n) return n % 2 end },
        })
        sink(source, "never asks", { partition = 0 })
        local odd = start(Last)
        assert(odd:subscribe { to = source, partition = 1, max_demand = 10 })
        assert.is_true(odd:call(1001) >= 1001)
        assert.equal(0, source:stats().buffered)
    end)

    it("works on a producer_consumer that answers demand, and from options of init", function()
        local Cache = stagehost.producer_consumer {
            init = function() return { demand_by = true } end,
            handle_demand = function(self, demand, by)
                self.asked = { demand, #by, by[1].demand }
            end,
            handle_events = function(_, events) return events end,
            handle_call = function(self) return self.asked end,
        }
        local cache = start(Cache)
        local consumer = sink(cache, "consumer")
        ask(consumer, 4)
        assert.same({ 4, 1, 4 }, cache:call("asked"))
    end)

    it("gives nothing when it is off", function()
        local source = start(Source)
        ask(sink(source, "a"), 2)
        assert.same({ { demand = 2, n = 0 } }, source:call("asks"))
        assert.has_error(function() stagehost.start(Source, { demand_by = 1 }) end)
        assert.has_error(function() stagehost.start(Sink, { demand_by = true }) end)
    end)
end)
