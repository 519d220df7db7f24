-- SPDX-License-Identifier: MIT

--- One entry of a pipeline's `stages`: the options of the pipeline itself, and those for the
--- start of the stage, each checked on its own so that every mistake is found.
local checks = require "stagehost.options.checks"
local definition = require "stagehost.options.definition"
local dispatchers = require "stagehost.options.dispatchers"
local names = require "stagehost.options.names"
local options = require "stagehost.options"
local shutdown = require "stagehost.supervisor.shutdown"
local tables = require "stagehost.options.tables"

local M = {}

---@class stagehost.PlannedStage
---@field name string
---@field where string for texts of problems: stage "x"
---@field definition stagehost.Definition
---@field kind stagehost.Kind
---@field options table of its start
---@field instances? integer nil: one stage, with the plain name
---@field parts? integer the number of its instances, if each of them has a part of the input
---@field spread? integer the number of instances that an input with one reader is meant for
---@field beside? string the stage whose instances have the same parts, and are on the same workers
---@field ordered? boolean
---@field on_error "restart" | "stop"
---@field shutdown integer | "infinity" | "brutal_kill"
---@field partitions? string[] of its dispatcher
---@field has_groups? boolean several consumers may share a partition
---@field links stagehost.PlannedLink[] its producers

-- How supervision handles a crash; other values of on_error are options of the stage.
local SUPERVISION = { restart = true, stop = true }

local count = checks.integer(1)

local own = {
    instances = function(value)
        if value == "parts" then
            return value
        end
        return count(value)
    end,
    ordered = checks.typed "boolean",
    shutdown = shutdown.check,
}

local function is_reserved(key)
    local entry = names.stage[key]
    return entry and entry.decided_by and entry.decided_by.pipeline
end

local not_options = { stage = true, subscribe_to = true, name = true }

local function check_own(problems, stage, key, value)
    local result, problem = own[key](value)
    if problem then
        problems:add('%s: option "%s" %s, got %s', stage.where, key, problem, checks.show(value))
    end
    stage[key] = result
end

local function read_options(problems, stage, entry, n_workers)
    for _, key in ipairs(tables.sorted_keys(entry)) do
        local value = entry[key]
        if own[key] then
            check_own(problems, stage, key, value)
        elseif key == "on_error" and SUPERVISION[value] then
            stage.on_error = value
        elseif is_reserved(key) then
            problems:add('%s: option "%s" is decided by the pipeline', stage.where, key)
        elseif not not_options[key] then
            stage.options[key] = value
            problems:try(stage.where, options.start, stage.definition, { [key] = value }, n_workers)
        end
    end
end

local function read_partitions(stage)
    local dispatcher = stage.options.dispatcher or stage.definition.dispatcher
    local ok, checked = pcall(dispatchers.check, dispatcher)
    stage.dispatcher = dispatcher == nil and "demand" or ok and checked.kind or nil
    if stage.dispatcher == "partition" then
        stage.partitions, stage.has_groups = checked.texts, checked.groups
    end
end

--- Reads into how many parts a source splits its input.
local function read_parts(problems, stage, n_workers)
    local split = stage.definition.split_input
    if not split then
        return
    end
    local n = split.parts == "auto" and n_workers or split.parts
    if not split.deal then
        stage.spread = n
        return
    end
    stage.parts = n
    if stage.instances then
        problems:add("%s has parts, which are its instances: no option \"instances\"", stage.where)
    elseif stage.dispatcher == "broadcast" then
        problems:add("%s has parts, which a broadcast dispatcher does not allow: the events of several parts "
            .. "have no order that all consumers could see", stage.where)
    end
    stage.instances = stage.parts
end

--- Reads an entry that has a name. Returns nil if its stage can't be known.
---@param problems stagehost.Problems
---@param entry table
---@param n_workers integer
---@return stagehost.PlannedStage?
function M.read(problems, entry, n_workers)
    local where = ("stage %s"):format(checks.show(entry.name))
    local kind = problems:try(where, definition.kind_of, entry.stage)
    if not kind then
        return nil
    end
    local stage = {
        name = entry.name,
        where = where,
        definition = entry.stage,
        kind = kind,
        options = {},
        on_error = "restart",
        shutdown = shutdown.DEFAULT_MS,
        links = {},
    }
    problems:try(where, options.start, stage.definition, { name = entry.name }, n_workers)
    read_options(problems, stage, entry, n_workers)
    if stage.definition.subscribe_to ~= nil then
        problems:add("%s: its definition has a subscribe_to; in a pipeline that belongs in the entry of the stage",
            where)
    end
    read_partitions(stage)
    read_parts(problems, stage, n_workers)
    if stage.instances and stage.options.worker == nil then
        stage.options.worker = "any"
    end
    return stage
end

return M
