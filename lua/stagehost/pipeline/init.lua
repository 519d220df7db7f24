-- SPDX-License-Identifier: MIT

--- Pipelines as data: stages with names, options and subscriptions, checked as a whole before anything
--- starts, and supervised. The shortest form is a chain: each entry subscribes to the one before it.
---
---     stagehost.pipeline { source.lines "-", stagehost.map(f), { Parse, instances = 3 }, sink.print() }:run()
---
--- Entries of a chain are definitions, or tables of a definition and options of its entry. An entry without a name gets
--- one for logs and status ("map", "map 2"). One with `subscribe_to` subscribes to what it says, and not to
--- the one before it; a producer begins a new chain. Options of the pipeline stand beside the entries. Stages in
--- `stages` subscribe only to what they say; they and the chain may name each other's stages:
---
---     local pipeline = stagehost.pipeline {
---         name = "words",
---         stages = {
---             { name = "lines", stage = stagehost.source.lines { path = "-" } },
---             { name = "count", stage = Count, instances = 4, subscribe_to = { "lines" } },
---         },
---     }
---     print(pipeline)
---     local running = assert(pipeline:start())
---     running:join() -- the results of its stages, or nil, message, reason
---
--- A stage that crashes is restarted, and its consumers subscribe to the new one, with fresh demand. Once the
--- sources have finished cleanly, everything downstream finishes too.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local plans = require "stagehost.pipeline.plan"
local process = require "stagehost.pipeline.process"
local running = require "stagehost.pipeline.running"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"
local text = require "stagehost.pipeline.text"

local M = {}

---@class stagehost.PipelineOptions
---@field name? string of the pipeline's process, and the prefix of the names of its stages: "words.count.1"
---@field stages? stagehost.StageEntry[] stages beside the chain
---@field [integer] stagehost.Definition | stagehost.StageEntry the chain
---@field max_restarts? integer default 3, over all stages
---@field max_seconds? integer default 5
---@field backoff? stagehost.Backoff

--- Other keys are options of the stage's start: args, dispatcher, buffer_size, ...
---@class stagehost.StageEntry
---@field name? string may be left out in a chain
---@field stage stagehost.Definition in a chain it may be the first element of the table
---@field subscribe_to? (string | stagehost.PipelineSubscription)[]
---@field instances? integer | "parts" number of equal stages, named name.1, name.2, ...; "parts": as many as its
--- producer has parts
---@field ordered? boolean with instances: the results come in the order of the input. Its events are dealt to the
--- instances in blocks, and a slow block holds back at most sixteen blocks of each other one. Only what handle_events
--- returns can be put in order. What a crashed instance was working on is lost, and the order goes on after it
---@field worker? integer | "any" default: that of its producers, else of the pipeline; "any" with instances
---@field on_error? "restart" | "stop" | any default "restart"; other values are options of the stage
---@field shutdown? integer | "infinity" | "brutal_kill" default 5000 ms

--- Other keys are options of the subscription: max_demand, partition, ...
---@class stagehost.PipelineSubscription
---@field to string name of a stage
---@field reason? string why it may close a cycle

--- A definition that can be printed, and started with `start`.
---@class stagehost.Pipeline : stagehost.Definition
---@field plan stagehost.Plan
local Pipeline = {}
Pipeline.__index = Pipeline

function Pipeline:__tostring()
    return text.of(self.plan)
end

--- Starts the pipeline and waits until all stages have started.
---@param options? { name?: string, worker?: integer | "any", link?: boolean }
---@return stagehost.RunningPipeline?
---@return string? message
---@return any reason of the first start that failed
function Pipeline:start(options)
    local stage, message, reason = stagehost.start(self, options)
    if not stage then
        return nil, message, reason
    end
    return running.new(stage)
end

--- Starts the pipeline and waits for its end: start and join in one call. A pipeline that does not start counts as
--- a failure of the host then, as a crash does: the command exits with 70.
---@param options? { name?: string, worker?: integer | "any", link?: boolean }
---@return table<string, any>? results of its stages, by name; nil: it did not start, or a stage has crashed for good
---@return stagehost.Reason | string reason or message
---@return any reason
function Pipeline:run(options)
    local handle, message, reason = self:start(options)
    if not handle then
        core.count_failure(reason)
        return nil, message, reason
    end
    return handle:join()
end

-- A metatable held by a module travels by name; otherwise every worker would get copies of its methods.
M.methods = Pipeline

--- Declares a pipeline. Raises one error that lists everything that is wrong with it.
---@param options stagehost.PipelineOptions
---@return stagehost.Pipeline
function M.new(options)
    local plan = plans.new(options, stagehost.workers())
    local def = stagehost.process(tables.copy(process.callbacks, {
        is_supervisor = true,
        has_results = true,
        name = plan.name,
        plan = plan,
    }))
    return setmetatable(def, Pipeline)
end

--- Returns what `start` returns, for the handle of a pipeline's process that a supervisor has started,
--- or that came in a message.
---@param stage stagehost.Stage
---@return stagehost.RunningPipeline
function M.of(stage)
    if not checks.is_stage(stage) then
        errors.raise("invalid_argument", "pipeline.of: expected the handle of a pipeline, got %s",
            checks.show(stage))
    end
    return running.new(stage)
end

return setmetatable(M, {
    __call = function(_, options)
        return M.new(options)
    end,
})
