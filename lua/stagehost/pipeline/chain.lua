-- SPDX-License-Identifier: MIT

--- The array part of a pipeline: a chain of entries, each of which subscribes to the one before it. Makes entries of
--- the kind that `stages` has: with names, and with subscriptions.
local checks = require "stagehost.options.checks"
local steps = require "stagehost.functions.steps"
local tables = require "stagehost.options.tables"

local M = {}

--- An entry of a pipeline, and what it is called in texts of problems.
---@class stagehost.GivenEntry
---@field at string "stages[3]"
---@field fields any as a StageEntry
---@field is_generated? boolean the name is

local KINDS = { producer = true, producer_consumer = true, consumer = true, process = true }
local CONSUMES = { producer_consumer = true, consumer = true }

local function is_definition(value)
    return type(value) == "table" and KINDS[value.kind] == true
end

--- What is wrong with an entry of the chain.
local function problem_of(entry)
    if type(entry) == "function" then
        return "is a function: stagehost.map, .filter, .each and others make a stage of one"
    elseif type(entry) ~= "table" then
        return ("must be a definition, or a table such as { Definition, instances = 3 }, got %s"):format(
            checks.show(entry))
    elseif is_definition(entry) then
        return nil
    end
    for key in pairs(entry) do
        if type(key) == "number" and key ~= 1 then
            return ("has the element %s: an entry has one definition, and options"):format(checks.show(key))
        end
    end
    if entry[1] ~= nil and entry.stage ~= nil then
        return 'has two definitions: its first element, and "stage"'
    end
end

--- Joins neighbours that were given without options and can be one stage.
local function fuse(list)
    local fused = {}
    for i = 1, #list do
        local last, entry = fused[#fused], list[i]
        if last and steps.can_fuse(last.value, entry) then
            last.value = steps.fuse(last.value, entry)
        else
            fused[#fused + 1] = { at = ("[%d]"):format(i), value = entry }
        end
    end
    return fused
end

local function fields_of(value)
    if is_definition(value) then
        return { stage = value }
    end
    local fields = tables.copy(value)
    fields.stage, fields[1] = fields.stage or fields[1], nil
    return fields
end

--- Names an entry after what its stage does, "map", or "map 2" if that name is taken.
local function name_entry(fields, taken)
    local def = fields.stage
    local title = is_definition(def) and (type(def.name) == "string" and def.name or def.title or def.kind) or "stage"
    local name, n = title, 1
    while taken[name] do
        n = n + 1
        name = ("%s %d"):format(title, n)
    end
    taken[name] = true
    return name
end

--- Subscribes an entry to the one before it, if it consumes and says nothing else. A process takes no part in
--- the chain.
local function subscribe(fields, before)
    local kind = is_definition(fields.stage) and fields.stage.kind
    if CONSUMES[kind] and fields.subscribe_to == nil and before then
        fields.subscribe_to = { before.name }
    end
    return kind == "process" and before or fields
end

local function names_of(lists)
    local taken = {}
    for _, list in ipairs(lists) do
        for _, entry in ipairs(list) do
            local name = type(entry) == "table" and not is_definition(entry) and entry.name
            taken[name or false] = true
        end
    end
    return taken
end

--- Splits a pipeline as it was written into its chain and its options.
---@param given table
---@return any[] chain
---@return table options
function M.split(given)
    local chain, options = {}, {}
    for key, value in pairs(given) do
        local into = type(key) == "number" and chain or options
        into[key] = value
    end
    return chain, options
end

--- Makes entries of a chain.
---@param problems stagehost.Problems
---@param chain any[]
---@param others any[] the list `stages`
---@return stagehost.GivenEntry[]
function M.read(problems, chain, others)
    local list, problem = checks.list(chain)
    if problem then
        problems:add("the chain %s", problem)
        return {}
    end
    local taken, entries, before = names_of { list, others }, {}, nil
    for _, one in ipairs(fuse(list)) do
        problem = problem_of(one.value)
        if problem then
            problems:add("%s %s", one.at, problem)
        else
            local fields = fields_of(one.value)
            local is_generated = fields.name == nil
            fields.name = is_generated and name_entry(fields, taken) or fields.name
            before = subscribe(fields, before)
            entries[#entries + 1] = { at = one.at, fields = fields, is_generated = is_generated }
        end
    end
    return entries
end

-- Ends of a chain -------------------------------------------------------------------------------------

local function has_consumer(plan, name)
    for _, stage in ipairs(plan.stages) do
        for _, link in ipairs(stage.links) do
            if link.to == name then
                return true
            end
        end
    end
    return false
end

--- Handles stages that emit events which no stage of the pipeline takes. One that makes a result of its events
--- needs no consumer: it becomes one itself.
---@param problems stagehost.Problems
---@param plan stagehost.Plan
---@param entries stagehost.GivenEntry[]
function M.check_ends(problems, plan, entries)
    local is_generated = {}
    for _, entry in ipairs(entries) do
        is_generated[entry.is_generated and entry.fields.name or false] = true
    end
    for _, stage in ipairs(plan.stages) do
        local emits = stage.kind == "producer" or stage.kind == "producer_consumer"
        if emits and not has_consumer(plan, stage.name) then
            local as_consumer = stage.definition.as_consumer
            if as_consumer then
                stage.definition, stage.kind = as_consumer, "consumer"
            elseif is_generated[stage.name] then
                problems:add("%s emits events that no stage takes: the entry after it must be a stage that "
                    .. "consumes, such as stagehost.sink.print() (a stage that others subscribe to needs a name)",
                    stage.where)
            end
        end
    end
end

return M
