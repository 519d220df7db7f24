-- SPDX-License-Identifier: MIT
--
-- stagehost.test under busted: in a host with several workers and a clock of its own.
local stagehost = require "stagehost"
local test = require "stagehost.test"

local Double = stagehost.producer_consumer {
    handle_events = function(_, events)
        local doubled = {}
        for i, n in ipairs(events) do
            doubled[i] = n * 2
        end
        return doubled
    end,
}

local Counter = stagehost.producer {
    init = function(self, args) self.next = args or 1 end,
    handle_demand = function(self, demand)
        local events = {}
        for i = 1, demand do
            events[i] = self.next
            self.next = self.next + 1
        end
        return events
    end,
    handle_call = function(self) return self.next end,
    handle_cast = function(_, events) return events end,
    handle_info = function() return stagehost.stop() end,
}

local Sum = stagehost.producer_consumer {
    init = function(self) self.sum = 0 end,
    handle_events = function(self, events)
        for _, n in ipairs(events) do
            self.sum = self.sum + n
        end
    end,
    handle_end = function(self) return { self.sum } end,
}

local function message_of(f)
    local ok, problem = pcall(f)
    assert.is_false(ok)
    return tostring(problem)
end

describe("test.stage", function()
    it("asks a producer and shows what comes out", function()
        local counter = test.stage(Counter, { args = 5 })
        test.equal(counter:events(), {})
        test.equal(counter:demand(3), { 5, 6, 7 })
        test.equal(counter:demand(2), { 8, 9 })
        test.equal(counter:call "next", 10)
        test.stats(counter.stage, { events_out = 5, demand_in = 5, consumers = 1 })
        test.equal(counter:cast { "more" }, {}, "not asked for yet")
        test.equal(counter:demand(1), { "more" })
        test.ended(counter, nil)
        counter:info "stop"
        test.ended(counter, "normal")
    end)

    it("feeds a producer_consumer, and knows its demand", function()
        local double = test.stage(Double, { max_demand = 4, min_demand = 2 })
        test.demand(double, 4)
        test.equal(double:feed { 1, 2, 3, 4, 5, 6 }, {}, "nobody has asked")
        test.equal(double:demand(3), { 2, 4, 6 })
        test.equal(double:demand(10), { 8, 10, 12 })
        test.demand(double, 4)
        test.equal(double:finish(), {})
        test.ended(double, "normal")
    end)

    it("shows what a stage emits at its end", function()
        local sum = test.stage(Sum)
        sum:demand(1)
        sum:feed { 1, 2, 3 }
        test.equal(sum:finish(), { 6 })
    end)

    it("shows a crash, which is no failure of the host", function()
        local crashing = test.stage(stagehost.consumer { handle_events = function() error "oops" end })
        crashing:feed { 1 }
        test.ended(crashing, "oops")
    end)

    it("returns why a stage did not start", function()
        local stage, message = test.stage(stagehost.process { init = function() return stagehost.stop "no" end })
        assert.is_nil(stage)
        assert.matches("no", message)
    end)

    it("refuses what its kind can't do", function()
        assert.matches("feed: a producer does not consume", message_of(function()
            local counter = test.stage(Counter)
            finally(function() counter.stage:kill() end)
            counter:feed { 1 }
        end))
        assert.matches("it takes no worker", message_of(function()
            test.stage(Counter, { worker = "any" })
        end))
    end)
end)

describe("test.pipeline", function()
    local pipeline = stagehost.pipeline {
        stages = {
            { name = "lines", stage = stagehost.source.lines "/nowhere" },
            { name = "double", stage = Double, instances = 2, subscribe_to = { { to = "lines", max_demand = 4 } } },
            { name = "out", stage = stagehost.sink.print(), subscribe_to = { "double" } },
        },
        max_restarts = 5,
    }
    local function numbers(n)
        local list = {}
        for i = 1, n do
            list[i] = i
        end
        return list
    end

    it("replaces stages by name", function()
        local results = assert(test.results(pipeline, { lines = numbers(20), out = test.collect() }))
        local doubled = {}
        for i = 1, 20 do
            doubled[i] = 2 * i
        end
        test.same_events(results.out, doubled)
    end)

    it("puts faults into a stage", function()
        local results = assert(test.results(pipeline, { lines = numbers(20), out = test.collect(),
            double = test.crash { at = 7 } }))
        assert.is_true(#results.out < 20 and #results.out >= 16)
        results = assert(test.results(pipeline, { lines = numbers(4), out = test.collect(), double = test.delay(1) }))
        test.count(results.out, 4)
        local _, message = test.results(pipeline, { lines = numbers(4), out = test.collect(),
            double = test.refuse(1) })
        assert.matches("injected refusal", tostring(message))
    end)

    it("runs all stages on the worker of the test, which shares its values with them", function()
        local workers = {}
        local function noting(def)
            local init = function() workers[#workers + 1] = stagehost.worker() end
            return stagehost.producer_consumer { init = init, handle_events = def.handle_events }
        end
        assert(test.results(pipeline, { lines = numbers(3), out = test.collect(), double = noting }))
        test.equal(workers, { stagehost.worker(), stagehost.worker() })
    end)

    it("leaves the pipeline as it was", function()
        test.pipeline(pipeline, { out = test.collect() })
        local stage = pipeline.plan.stages[3]
        test.equal({ stage.name, stage.definition.pipeline_result }, { "out" })
    end)

    it("refuses unknown names, other kinds and other values", function()
        assert.matches('there is no stage "Double" (did you mean "double"?)', message_of(function()
            test.pipeline(pipeline, { Double = Double })
        end), 1, true)
        assert.matches('stage "out" is a consumer; a producer can\'t take its place', message_of(function()
            test.pipeline(pipeline, { out = Counter })
        end), 1, true)
        assert.matches('stage "out": expected a definition, a function, got 5', message_of(function()
            test.pipeline(pipeline, { out = 5 })
        end), 1, true)
    end)
end)

describe("an assertion of stagehost.test", function()
    it("says what was expected", function()
        assert.matches('expected 2 events, got 1: { "a" }', message_of(function()
            test.count({ "a" }, 2)
        end), 1, true)
        assert.matches("expected 3 events, got 3\n missing 1 times: 2\ntoo many 1 times: 3", message_of(function()
            test.same_events({ 3, 1, 3 }, { 1, 2, 3 })
        end), 1, true)
        assert.matches("the words:\nexpected a text with", message_of(function()
            test.matches("abc", "x", "the words")
        end), 1, true)
        assert.matches('expected an error with "x", but there was none', message_of(function()
            test.raises(function() end, "x")
        end), 1, true)
        assert.matches("expected a demand of 3, got 1000", message_of(function()
            local double = test.stage(Double)
            finally(function() double.stage:kill() end)
            test.demand(double, 3)
        end), 1, true)
        assert.matches('stagehost.test has no equals', message_of(function()
            return test.equals
        end), 1, true)
    end)

    it("tells equal values from others", function()
        local around = {}
        around.x = around
        test.equal({ 1, { a = 2 }, around }, { 1, { a = 2 }, around })
        test.equal(0 / 0, 0 / 0)
        test.raises(function() test.equal({ 1, nil, 3 }, { 1, 2, 3 }) end, "at %[2%]: expected 2, got nil")
        test.raises(function() test.equal("a\nb", "a") end, [[got: "a\nb"]])
    end)
end)

test "is `it` under busted" (function()
    test.ok(true)
end)
