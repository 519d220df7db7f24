-- SPDX-License-Identifier: MIT

--- A declared pipeline with some of its stages replaced.
local checks = require "stagehost.options.checks"
local definition = require "stagehost.options.definition"
local errors = require "stagehost.options.errors"
local nearest = require "stagehost.options.nearest"
local pipelines = require "stagehost.pipeline"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

--- What takes the place of a stage: the definition itself; for a source a list of events; a function that makes it
--- of the definition that was there, such as test.crash { at = 5 }.
local function substitute(stage, value)
    if type(value) == "function" then
        value = value(stage.definition)
    elseif type(value) == "table" and stage.kind == "producer"
        and not pcall(definition.kind_of, value) then
        if (stage.instances or 1) > 1 then
            errors.raise("invalid_argument", "test.pipeline: stage %q has %d instances: each would emit the list",
                stage.name, stage.instances)
        end
        value = stagehost.source.list(value)
    end
    local ok, kind = pcall(definition.kind_of, value)
    if not ok then
        errors.raise("invalid_argument",
            "test.pipeline: stage %q: expected a definition, a function%s, got %s", stage.name,
            stage.kind == "producer" and " or a list of events" or "", checks.show(value))
    elseif kind ~= stage.kind then
        errors.raise("invalid_argument", "test.pipeline: stage %q is a %s; a %s can't take its place", stage.name,
            stage.kind, kind)
    end
    return value
end

local function check_names(plan, substitutes)
    local known = {}
    for _, stage in ipairs(plan.stages) do
        known[stage.name] = true
    end
    for _, name in ipairs(tables.sorted_keys(substitutes)) do
        if not known[name] then
            local meant = nearest(tostring(name), known)
            errors.raise("invalid_argument", "test.pipeline: there is no stage %s (%s)", checks.show(name),
                meant and ("did you mean %q?"):format(meant) or "it has " .. checks.list_keys(known))
        end
    end
end

--- A pipeline like this one, in which some stages are others. All of its stages run on the worker of the test. It is
--- started like any pipeline.
---
---     local events = test.results(pipeline, { lines = { "a", "b" }, out = test.collect() }).out
---
---@param pipeline stagehost.Pipeline
---@param substitutes? table<string, stagehost.Definition | any[] | fun(def: table): table> by name
---@return stagehost.Pipeline
function M.new(pipeline, substitutes)
    if getmetatable(pipeline) ~= pipelines.methods then
        errors.raise("invalid_argument", "test.pipeline: expected a pipeline, got %s", checks.show(pipeline))
    end
    check_names(pipeline.plan, substitutes or {})
    local stages = {}
    for i, stage in ipairs(pipeline.plan.stages) do
        stages[i] = tables.copy(stage)
        stages[i].options = tables.copy(stage.options)
        stages[i].options.worker = stagehost.worker()
        local value = substitutes and substitutes[stage.name]
        if value ~= nil then
            stages[i].definition = substitute(stage, value)
        end
    end
    local copy = tables.copy(pipeline, { plan = tables.copy(pipeline.plan, { stages = stages }) })
    return setmetatable(stagehost.process(copy), pipelines.methods)
end

--- Starts such a pipeline and waits for its end.
---@param pipeline stagehost.Pipeline
---@param substitutes? table<string, any>
---@return table<string, any>? results by name of the stage
---@return any message of a crash
---@return any reason
function M.results(pipeline, substitutes)
    local running, message, reason = M.new(pipeline, substitutes):start()
    if not running then
        return nil, message, reason
    end
    return running:join()
end

return M
