-- SPDX-License-Identifier: MIT

--- Tests of stages and pipelines. `stagehost test` runs each test in a host of its own, with a virtual clock and a
--- seeded order of stages; under busted, `test` is `it`; a file run as a script runs its tests one after the other.
---
---     local test = require "stagehost.test"
---
---     test "doubles" (function()
---         local double = test.stage(Double)
---         double:demand(3)
---         test.equal(double:feed { 1, 2, 3 }, { 2, 4, 6 })
---     end)
local lazy = require "stagehost.engine.lazy"
local run = require "stagehost.test.run"

---@class stagehost.test
---@field stage fun(def: stagehost.Definition, options?: table): stagehost.test.Stage?, string?, any drives a stage
---@field pipeline fun(pipeline: stagehost.Pipeline, substitutes?: table): stagehost.Pipeline with some stages replaced
---@field results fun(pipeline: stagehost.Pipeline, substitutes?: table): table?, any, any runs that; its results
---@field script fun(path: string, given?: stagehost.test.Script): string[] runs a script; the lines that it prints
---@field golden fun(path: string, actual: any) compares with a file beside the test
---@field crash fun(given: stagehost.test.Crash): function a fault, to be put into a stage
---@field delay fun(ms: number): function
---@field refuse fun(times?: integer): function
---@field equal fun(actual: any, expected: any, what?: string)
---@field ok fun(value: any, what?: string)
---@field same_events fun(actual: any[], expected: any[], what?: string) in any order
---@field count fun(list: any[], n: integer, what?: string)
---@field matches fun(text: any, pattern: string, what?: string)
---@field raises fun(f: function, pattern: string, what?: string)
---@field stats fun(stage: stagehost.Stage, expected: table<string, any>, what?: string)
---@field ledger fun(expected?: table<string, integer>, what?: string)
---@field ended fun(driver: stagehost.test.Stage, reason: string?, what?: string)
---@field demand fun(driver: stagehost.test.Stage, n: integer, what?: string)
---@field settle fun() waits until no stage of this worker has anything to do
---@overload fun(name: string): fun(f: function)
local M = {}

--- A sink that keeps its events, as a substitute: they are among the results of the pipeline.
---@return stagehost.Definition
function M.collect()
    return require "stagehost.sink".collect()
end

--- Says that stages are expected to fail in this test: it passes although the host has counted failures.
M.expect_failures = run.expect_failures

local places = {
    stage = { "stagehost.test.stage", "new" },
    pipeline = { "stagehost.test.pipeline", "new" },
    results = { "stagehost.test.pipeline", "results" },
    script = { "stagehost.test.script", "run" },
    golden = { "stagehost.test.golden", "compare" },
    settle = { "stagehost.core", "settle" },
}
for _, name in ipairs { "crash", "delay", "refuse" } do
    places[name] = { "stagehost.test.faults", name }
end
for _, name in ipairs { "equal", "ok", "same_events", "count", "matches", "raises", "stats", "ledger", "ended",
    "demand" } do
    places[name] = { "stagehost.test.check", name }
end

lazy.fields(M, places, function(key)
    require "stagehost.options.errors".raise("unknown_field", "stagehost.test has no %s", tostring(key))
end)
getmetatable(M).__call = function(_, name)
    return run.declare(name)
end

return M
