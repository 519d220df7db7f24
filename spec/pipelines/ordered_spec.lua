-- SPDX-License-Identifier: MIT

--- ordered = true: instances work in parallel, and their results come in the order of the input.
local crashing = require "spec.support.crashing"
local plan = require "stagehost.pipeline.plan"
local stagehost = require "stagehost"
local stages = require "spec.support.stages"

local source, sink = stagehost.source, stagehost.sink

after_each(stages.stop_all)

--- Takes longer for some events than for others.
local function slow(n)
    if n % 7 == 0 then
        stagehost.sleep(n % 3)
    end
    return n
end

--- What comes out of a pipeline of numbers, this entry, and a sink.
local function results_of(n, entry, more)
    local given = { source.list(stages.numbers(1, n)), entry, { sink.collect(), name = "out" } }
    for key, value in pairs(more or {}) do
        given[key] = value
    end
    return stagehost.pipeline(given):run()
end

local function ordered(def, options)
    local entry = { def, instances = 3, ordered = true }
    for key, value in pairs(options or {}) do
        entry[key] = value
    end
    return entry
end

local function assert_sorted(list)
    for i = 2, #list do
        assert.is_true(list[i - 1] < list[i], ("%s before %s"):format(list[i - 1], list[i]))
    end
end

describe("ordered instances", function()
    it("give their results in the order of the input", function()
        for _, max_demand in ipairs { 1, 2, 10, 1000 } do
            local out = results_of(300, ordered(stagehost.map(slow), { max_demand = max_demand })).out
            assert.same(stages.numbers(1, 300), out)
        end
    end)

    it("may emit more events or fewer than they get", function()
        local Odd = stagehost.flat_map(function(n) return n % 2 == 1 and { slow(n), n + 0.5 } or nil end)
        local out = results_of(99, ordered(Odd)).out
        assert.equal(100, #out)
        assert_sorted(out)
        assert.same({}, results_of(99, ordered(stagehost.filter(function() return false end))).out)
        assert.same({}, results_of(0, ordered(stagehost.map(slow))).out)
    end)

    it("work side by side", function()
        local Where = stagehost.map(function() return stagehost.self().name end)
        local seen = {}
        for _, name in ipairs(results_of(30, ordered(Where, { name = "x" })).out) do
            seen[name] = true
        end
        assert.same({ ["x.1"] = true, ["x.2"] = true, ["x.3"] = true }, seen)
    end)

    it("keep batches together", function()
        local Size = stagehost.producer_consumer { handle_events = function(_, events) return { #events } end }
        local out = results_of(20, ordered(Size, {
            subscribe_to = { "list", batch = { size = 8, timeout_ms = 10000 }, max_demand = 16 },
        })).out
        assert.same({ 8, 8, 4 }, out)
    end)

    it("spread their results as the entry says", function()
        local running = assert(stagehost.pipeline {
            source.list(stages.numbers(1, 50)),
            ordered(stagehost.map(slow), { name = "x", dispatcher = "broadcast" }),
            { sink.collect(), name = "a" }, { sink.collect(), name = "b", subscribe_to = "x" },
        }:start())
        assert.same({ a = stages.numbers(1, 50), b = stages.numbers(1, 50) }, (running:join()))
    end)

    it("go on after what a crash or an error has lost", function()
        for _, worker in ipairs(crashing.workers()) do
            local Fails = stagehost.map(function(n)
                return n % 50 ~= 0 and slow(n) or error("no " .. n)
            end)
            local out = results_of(200, ordered(Fails, { worker = worker, max_demand = 4, on_error = "restart" }),
                { max_restarts = 100 }).out
            assert_sorted(out)
            assert.is_true(#out > 100 and #out <= 196)
            out = results_of(200, ordered(Fails, { max_demand = 1, on_error = "skip" })).out
            assert_sorted(out)
            assert.is_true(#out > 100 and #out <= 196)
        end
    end)

    it("do not run ahead of a slow one without a limit", function()
        local queue = source.queue { limit = 1 }
        local gate = stages.start(stagehost.process { handle_call = function() return stagehost.noreply end })
        local Blocked = stagehost.map(function(n)
            return n > 1 and n or gate:call("wait", math.huge)
        end)
        local running = assert(stagehost.pipeline {
            { queue, name = "in" }, ordered(Blocked, { max_demand = 1 }), sink.each(function() end),
        }:start())
        local n, n_refused = 0, 0
        while n < 1000 and n_refused < 30 do -- far more events than fit in, or no room for a while
            local is_taken = queue:try_push(n + 1)
            n, n_refused = is_taken and n + 1 or n, is_taken and 0 or n_refused + 1
            stagehost.sleep(is_taken and 0 or 1)
        end
        assert.is_true(n < 100, n .. " events were taken")
        running:stop()
    end)
end)

describe("ordered", function()
    local function problem_of(entry, before)
        local ok, err = pcall(plan.new, { before or source.list {}, entry, sink.print() }, 2)
        assert.is_false(ok)
        return err.message
    end

    it("is refused where it can't work", function()
        local map = stagehost.map(slow)
        assert.matches('stage "map": option "ordered" is for stages with "instances"',
            problem_of { map, ordered = true })
        assert.matches('option "ordered" is for a producer_consumer, and this is a producer',
            problem_of(ordered(source.list {})))
        assert.matches("can't work with the callback handle_end: its events have no place",
            problem_of(ordered(stagehost.batch(2))))
        assert.matches('can\'t work with the option "ack"', problem_of(ordered(map, {
            subscribe_to = { "list", ack = true },
        })))
        assert.matches('can\'t work with the option "dead_letter"', problem_of(ordered(map, { dead_letter = "x" })))
        assert.matches('can\'t work where each instance takes a partition of "list"',
            problem_of(ordered(map), { source.list {}, dispatcher = { "partition", partitions = 3 } }))
        assert.matches('makes a stage "x.deal", and there is one already',
            problem_of(ordered(map, { name = "x" }), { source.list {}, name = "x.deal" }))
        assert.matches('option "ordered" must be a boolean, got 7', problem_of(ordered(map, { ordered = 7 })))
    end)
end)
