-- SPDX-License-Identifier: MIT

--- The operators as stages, on one worker and on several, of packed lists and of tables.
local stagehost = require "stagehost"

local stages = stagehost.text.stages

local function packed_source(list)
    return stagehost.producer {
        handle_demand = function() return stagehost.stop("normal", stagehost.text.pack(list)) end,
    }
end

--- What comes out of a chain of stages, each on a worker of its own with `worker`.
local function run(source, worker, ...)
    local plan = { { name = "1", stage = source } }
    for i, stage in ipairs { ... } do
        plan[i + 1] = { name = tostring(i + 1), stage = stage, worker = worker, subscribe_to = tostring(i) }
    end
    plan[#plan + 1] = { name = "out", stage = stagehost.sink.collect(), subscribe_to = tostring(#plan) }
    return assert(assert(stagehost.pipeline { stages = plan, max_restarts = 0 }:start()):join()).out
end

--- The same from tables and packed lists, on this worker and on others.
local function everywhere(expected, list, ...)
    for _, worker in ipairs { false, "any" } do
        for _, source in ipairs { stagehost.source.list(list), packed_source(list) } do
            assert.same(expected, run(source, worker or nil, ...))
        end
    end
end

describe("stages of text", function()
    it("cut lines out of chunks", function()
        everywhere({ "ab", "c", "", "d" }, { "a", "b\nc\r\n\n", "d" }, stages.lines())
        everywhere({ "ab", "c\r" }, { "a", "b\nc\r\n" }, stages.lines { keep_cr = true })
        everywhere({}, {}, stages.lines())
    end)

    it("split and select", function()
        everywhere({ "a", "b", "ac" }, { "a,b", "ac" }, stages.split ",")
        everywhere({ "a", "ac" }, { "a,b", "ac" }, stages.split ",", stages.select { pattern = "^a" })
        everywhere({ "b" }, { "a,b", "ac" }, stages.split ",", stages.select { contains = "a", invert = true })
        everywhere({}, { "a,b", "ac" }, stages.select "x")
    end)

    it("count fields, and emit the counts at the end", function()
        everywhere({ { "x", 2 }, { "y", 1 } }, { "1 x", "2 y", "3 x" }, stages.count_by(2))
        everywhere({ { "x", 2 }, { "y", 1 } }, { "1 x", "2 y", "3 x" }, stages.field(2), stages.count_by())
        everywhere({}, {}, stages.count_by())
    end)

    it("work on long inputs as the functions do", function()
        local list = {}
        for i = 1, 5000 do
            list[i] = ("%d,key %d,%s"):format(i, i % 37, ("x"):rep(i % 50))
        end
        local expected = stagehost.text.count_by(stagehost.text.select(list, { pattern = ",x+$" }),
            { field = 2, separator = "," }):list()
        everywhere(expected, list, stages.select { pattern = ",x+$" }, stages.field { field = 2, separator = "," },
            stages.count_by())
    end)

    it("refuse wrong options where they are defined", function()
        assert.error_matches(function() stages.field {} end,
            'stages_spec.lua:%d+: text.stages.field: the option "field" is required')
        assert.error_matches(function() stages.select { pattern = "(" } end, "unfinished capture")
        assert.error_matches(function() stages.count_by { by = 1 } end, 'unknown option "by" of text.stages.count_by')
    end)

    it("end with an error at an event that is no string", function()
        local running = assert(stagehost.pipeline {
            max_restarts = 0,
            stages = {
                { name = "in", stage = stagehost.source.list { "a", 5 } },
                { name = "select", stage = stages.select "a", subscribe_to = "in" },
                { name = "out", stage = stagehost.sink.collect(), subscribe_to = "select" },
            },
        }:start())
        local results, message = running:join()
        assert.is_nil(results)
        assert.is_truthy(message:find("element 2 of 2 is a number", 1, true), message)
    end)
end)
