-- SPDX-License-Identifier: MIT

--- Stages made of functions, alone and in chains, on this worker and on another one.
local crashing = require "spec.support.crashing"
local stagehost = require "stagehost"
local stages = require "spec.support.stages"

local source, sink = stagehost.source, stagehost.sink

after_each(stages.stop_all)

--- The events that come out of these stages for the numbers 1 to n.
local function events_of(n, ...)
    local chain = { source.list(stages.numbers(1, n)), ... }
    chain[#chain + 1] = { sink.collect(), name = "out" }
    return assert(stagehost.pipeline(chain):run()).out
end

--- The reason with which a chain of these stages fails.
local function failure_of(...)
    local _, message = stagehost.pipeline { { source.list { 1, 2, 3 } }, max_restarts = 0, ... }:run()
    return message
end

local function double(n) return n * 2 end
local function is_odd(n) return n % 2 == 1 end
local function twice(n) return { n, n } end

describe("a stage made of a function", function()
    it("works on each event", function()
        assert.same({ 2, 4, 6 }, events_of(3, stagehost.map(double)))
        assert.same({ 1, 3 }, events_of(4, stagehost.filter(is_odd)))
        assert.same({ 2, 4 }, events_of(4, stagehost.reject(is_odd)))
        assert.same({ 1, 1, 2, 2 }, events_of(2, stagehost.flat_map(twice)))
        local seen = {}
        assert.same({ 1, 2 }, events_of(2, stagehost.tap(function(n) seen[#seen + 1] = n end)))
        assert.same({ 1, 2 }, seen)
    end)

    it("may emit false", function()
        assert.same({ true, false }, events_of(2, stagehost.map(is_odd)))
    end)

    it("may wait", function()
        assert.same({ 2, 4 }, events_of(2, stagehost.map(function(n)
            stagehost.sleep(1)
            return n * 2
        end)))
    end)

    it("is fused with its neighbours, in order", function()
        assert.same({ 1, 1, 9, 9, 25, 25 }, events_of(6, stagehost.filter(is_odd),
            stagehost.map(function(n) return n * n end), stagehost.flat_map(twice)))
        assert.same({ 2, 2, 2, 2, 6, 6, 6, 6 }, events_of(3, stagehost.flat_map(twice), stagehost.reject(function(n)
            return n == 2
        end), stagehost.flat_map(twice), stagehost.map(double), stagehost.tap(double)))
    end)

    it("takes lists, iterators and nil from flat_map", function()
        assert.same({ "a", "b" }, events_of(1, stagehost.flat_map(function() return ("a b"):gmatch "%a" end)))
        assert.same({ 1, 2 }, events_of(1, stagehost.flat_map(function() return ipairs { "x", "y" } end)))
        assert.same({ 3 }, events_of(3, stagehost.flat_map(function(n) return n == 3 and { n } or nil end)))
    end)

    it("runs on other workers", function()
        for _, worker in ipairs(crashing.workers()) do
            local factor = 3
            assert.same({ 3, 9 }, events_of(3, { stagehost.filter(is_odd), worker = worker },
                { stagehost.map(function(n) return n * factor end), worker = worker }))
        end
    end)

    it("works without a pipeline", function()
        local list = stages.start(source.list { 1, 2 })
        local map = stages.start(stagehost.map(double), { subscribe_to = list })
        assert.same({ 2, 4 }, (sink.collect_from(map)))
    end)

    it("must be made of a function", function()
        for _, name in ipairs { "map", "filter", "reject", "flat_map", "tap" } do
            assert.error_matches(function() stagehost[name](7) end, name .. ": expected a function, got 7")
        end
        assert.error_matches(function() stagehost.reduce(0) end, "reduce: expected a function, got nil")
        assert.error_matches(function() stagehost.reduce(nil, double) end, "reduce: the first value must not be nil")
        assert.error_matches(function() stagehost.count(7) end,
            "count: expected a function or the name of a field, got 7")
        assert.error_matches(function() stagehost.batch(0) end, "batch: the number of events must be at least 1, got 0")
        assert.error_matches(function() stagehost.batch(2, "soon") end, 'batch: the time must be .*got "soon"')
    end)
end)

describe("an error in such a function", function()
    local sink_of_all = stagehost.each(function() end)

    it("names the line", function()
        assert.matches("functions_spec.lua:%d+: oops",
            failure_of(stagehost.map(function() error "oops" end), sink_of_all))
        local line = debug.getinfo(1, "l").currentline + 3
        assert.matches(("functions_spec.lua:%d: bad argument #1 to 'reject2'"):format(line), failure_of(
            stagehost.map(function() return {} end),
            stagehost.reject(string.upper),
            sink_of_all))
        local reject = stagehost.reject(string.upper)
        assert.matches("map functions_spec.lua:%d+, reject functions_spec.lua:%d+:1: bad argument", failure_of(
            stagehost.map(function() return {} end), reject, sink_of_all))
    end)

    it("may be that it returns nil", function()
        assert.matches("map %(.*functions_spec.lua:%d+%) returned nil: that is no event; filter and flat_map leave "
            .. "events out", failure_of(stagehost.filter(is_odd), stagehost.map(function() end), sink_of_all))
        assert.matches("flat_map %(.*functions_spec.lua:%d+%) returned 7: expected a list, an iterator or nil",
            failure_of(stagehost.flat_map(function() return 7 end), sink_of_all))
        assert.matches("flat_map %(.*%) returned a list with nil in it",
            failure_of(stagehost.flat_map(function() return { nil, 7, 8 } end), sink_of_all))
    end)
end)

describe("reduce", function()
    local function sum(a, b) return a + b end

    it("emits its result at the end", function()
        assert.same({ 10 }, events_of(4, stagehost.reduce(0, sum)))
        assert.same({ 0 }, events_of(0, stagehost.reduce(0, sum)))
        assert.same({ 20 }, events_of(4, stagehost.map(double), stagehost.reduce(0, sum), stagehost.tap(double)))
    end)

    it("has it among the results of the pipeline", function()
        for _, worker in ipairs(crashing.workers()) do
            local results = stagehost.pipeline {
                source.list { 1, 2, 3 }, { stagehost.reduce(0, sum), name = "sum", worker = worker },
            }:run()
            assert.same({ sum = 6 }, results)
        end
        assert.same({ reduce = 6 }, (stagehost.pipeline {
            source.list { 1, 2, 3 }, stagehost.reduce(0, sum), stagehost.each(function() end),
        }:run()))
    end)

    it("begins with a value of its own each time", function()
        local Seen = stagehost.reduce({ n = 0, list = {} }, function(seen, event)
            seen.n = seen.n + 1
            table.insert(seen.list, event)
        end)
        for _ = 1, 2 do
            assert.same({ { n = 2, list = { 1, 2 } } }, events_of(2, Seen))
        end
        assert.same({ 7 }, events_of(0, stagehost.reduce(function() return 7 end, sum)))
    end)

    it("has to return a value, but for a table", function()
        assert.matches("reduce %(.*functions_spec.lua:%d+%) returned nil: expected the next value %(nil stands for a "
            .. "table, not for 0%)", failure_of(stagehost.reduce(0, function() end)))
    end)

    it("counts events, or what a function or a field says", function()
        assert.same({ { [1] = 1, [2] = 1 } }, events_of(2, stagehost.count()))
        assert.same({ { [true] = 2, [false] = 1 } }, events_of(3, stagehost.count(is_odd)))
        assert.same({ { [1] = 3 } }, events_of(3, stagehost.map(function() return { k = 1 } end), stagehost.count "k"))
        assert.matches("count .* has no key for an event", failure_of(stagehost.count(function() end)))
    end)
end)

describe("batch", function()
    it("emits lists, the last one shorter", function()
        assert.same({ { 1, 2 }, { 3, 4 }, { 5 } }, events_of(5, stagehost.batch(2)))
        assert.same({ { 1, 2, 3 } }, events_of(3, stagehost.batch(3, "10s")))
    end)

    it("does not wait longer than it may", function()
        local queue = stages.start(stagehost.dead_letters())
        local batch = stages.start(stagehost.batch(3, 20), { subscribe_to = queue })
        local out = stages.start(sink.collect(), { subscribe_to = batch })
        queue:cast { event = 1 }
        queue:cast { event = 2 }
        while out:call "count" == 0 do
            stagehost.sleep(1)
        end
        assert.same({ { { event = 1 }, { event = 2 } } }, (out:call "events"))
    end)
end)
