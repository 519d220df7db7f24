-- SPDX-License-Identifier: MIT

--- Turns a pipeline as it was written into a plan that can be started, or lists everything that is wrong with it.
local backoff = require "stagehost.supervisor.backoff"
local chains = require "stagehost.pipeline.chain"
local checks = require "stagehost.options.checks"
local entries = require "stagehost.pipeline.stage_entry"
local errors = require "stagehost.options.errors"
local intensity = require "stagehost.supervisor.intensity"
local links = require "stagehost.pipeline.links"
local order = require "stagehost.pipeline.order"
local ordered = require "stagehost.pipeline.ordered"
local parts = require "stagehost.pipeline.parts"
local partitions = require "stagehost.pipeline.partitions"
local problem_list = require "stagehost.pipeline.problems"

local M = {}

---@class stagehost.Plan
---@field name? string
---@field stages stagehost.PlannedStage[] producers before their consumers
---@field max_restarts? integer
---@field max_seconds? integer
---@field backoff? stagehost.Backoff

local schema = {
    name = checks.typed "string",
    stages = checks.anything,
    max_restarts = intensity.schema.max_restarts,
    max_seconds = intensity.schema.max_seconds,
    backoff = backoff.check,
}

local function read_options(problems, given)
    local plan = { stages = {} }
    for key, value in pairs(given) do
        local one = problems:try("pipeline", checks.apply, schema, { [key] = value }, "a pipeline")
        if one and key ~= "stages" then
            plan[key] = one[key]
        end
    end
    return plan
end

--- The stages by name; false for a stage whose entry is so wrong that nothing is known of it.
local function read_stages(problems, plan, list, n_workers)
    local by_name, given = {}, {}
    for _, one in ipairs(list) do
        local entry = one.fields
        if type(entry) ~= "table" then
            problems:add('%s must be a table such as { name = "x", stage = Definition }, got %s', one.at,
                checks.show(entry))
        elseif type(entry.name) ~= "string" then
            problems:add("%s: the name must be a string, got %s", one.at, checks.show(entry.name))
        elseif by_name[entry.name] ~= nil then
            problems:add("stage %s: the name appears twice", checks.show(entry.name))
        else
            local stage = entries.read(problems, entry, n_workers)
            by_name[entry.name] = stage or false
            plan.stages[#plan.stages + 1] = stage
            given[entry.name] = entry
        end
    end
    for _, stage in ipairs(plan.stages) do
        links.read(problems, stage, by_name, given[stage.name].subscribe_to)
    end
    return by_name
end

--- Checks the names of instances: a stage x with instances is x.1, x.2, ..., and no other stage may have these names.
local function check_instance_names(problems, plan, by_name)
    for _, stage in ipairs(plan.stages) do
        for i = 1, stage.instances or 0 do
            local name = M.instance_name(stage, i)
            if by_name[name] ~= nil then
                problems:add("stage %s: an instance of %s has that name", checks.show(name), checks.show(stage.name))
            end
        end
    end
end

local function check_dead_letters(problems, plan, by_name)
    for _, stage in ipairs(plan.stages) do
        local name = stage.options.dead_letter
        local target = type(name) == "string" and by_name[name]
        if target and target.instances then
            problems:add('%s: dead letters go to one stage, but %s has instances: name one of them, "%s.1"',
                stage.where, checks.show(name), name)
        end
    end
end

local function sort(problems, plan, by_name)
    local sorted, cycles = order.sort(plan.stages, by_name)
    for _, cycle in ipairs(cycles) do
        problems:add('cycle %s: if that is on purpose, one of its subscriptions needs a reason, as in '
            .. '{ to = "%s", reason = "retries come back" }', table.concat(cycle, " -> "), cycle[#cycle - 1])
    end
    plan.stages = sorted
end

---@param stage stagehost.PlannedStage
---@param index integer
---@return string
function M.instance_name(stage, index)
    return stage.instances and ("%s.%d"):format(stage.name, index) or stage.name
end

--- All entries of a pipeline: those of its chain, then those of `stages`.
---@return stagehost.GivenEntry[]
local function entries_of(problems, chain, stages)
    local list, problem = checks.list(stages == nil and {} or stages)
    if problem or #list == 0 and (stages ~= nil or next(chain) == nil) then
        problems:add('option "stages" must be a list of at least one stage')
        list = {}
    end
    local all = chains.read(problems, chain, list)
    for i, fields in ipairs(list) do
        all[#all + 1] = { at = ("stages[%d]"):format(i), fields = fields }
    end
    return all
end

--- Makes the plan of a pipeline. Raises one error that lists everything that is wrong with it.
---@param given any
---@param n_workers integer
---@return stagehost.Plan
function M.new(given, n_workers)
    if type(given) ~= "table" then
        errors.raise("invalid_pipeline",
            "pipeline: expected a table such as { source, sink } or { stages = { ... } }, got %s", checks.show(given))
    end
    local problems = problem_list.new()
    local chain, options = chains.split(given)
    local plan = read_options(problems, options)
    local list = entries_of(problems, chain, options.stages)
    local by_name = read_stages(problems, plan, list, n_workers)
    parts.pair(problems, plan.stages, by_name)
    check_instance_names(problems, plan, by_name)
    check_dead_letters(problems, plan, by_name)
    chains.check_ends(problems, plan, list)
    ordered.expand(problems, plan, by_name)
    partitions.check(problems, plan)
    sort(problems, plan, by_name)
    problems:raise(type(given.name) == "string" and ("pipeline %q"):format(given.name) or "the pipeline")
    return plan
end

return M
