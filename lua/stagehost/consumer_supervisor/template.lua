-- SPDX-License-Identifier: MIT

--- Checks the options of a consumer_supervisor, and makes the template that its children are started from.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local intensity = require "stagehost.supervisor.intensity"
local job = require "stagehost.consumer_supervisor.job"
local options = require "stagehost.options"
local shutdown = require "stagehost.supervisor.shutdown"
local subscriptions = require "stagehost.options.subscription"
local tables = require "stagehost.options.tables"

local M = {}

local WHAT = "a consumer_supervisor"

local function child(value)
    if type(value) == "function" or type(value) == "table" then
        return value
    end
    return nil, "must be a definition or a function"
end

local function name(value)
    if type(value) == "function" or type(value) == "string" and value ~= "" then
        return value
    end
    return nil, "must be a function that names a child by its event (or the supervisor's own name)"
end

local function shards(value)
    local n, problem = checks.integer(1)(value)
    if value == "workers" then
        return core.workers()
    end
    return n, problem and problem .. ', or "workers"'
end

local function partitions(value)
    if value == true or not select(2, checks.list(value)) then
        return value
    end
    return nil, "must be true or a list of the names of partitions"
end

local schema = {
    child = child,
    options = checks.typed "table",
    restart = checks.one_of("temporary", "transient"),
    shutdown = shutdown.check,
    max_restarts = intensity.schema.max_restarts,
    max_seconds = intensity.schema.max_seconds,
    max_children = checks.integer(1),
    refill = checks.one_of("finished", "low_water"),
    at_end = checks.one_of("finish", "shutdown"),
    name = name,
    shards = shards,
    partitions = partitions,
    -- of the stage itself, checked at its start
    subscribe_to = checks.anything,
    end_with_last = checks.typed "boolean",
    worker = checks.anything,
}

-- The options of the children's starts that the supervisor sets itself.
local not_for_template = {
    name = "the supervisor names its children: use its option name = function(event) ... end",
    link = "the supervisor links its children with itself",
    supervised = "they are always supervised",
}

-- `args` of the template comes before the event: a list.
local function check_args(args)
    local _, problem = checks.list(args)
    if args ~= nil and problem then
        errors.raise("invalid_option", 'option "options.args" %s: the event becomes its last element, got %s',
            problem, checks.show(args))
    end
end

-- Checks the options for the start of every child.
local function start_options(given)
    local result = tables.copy(given)
    for key, why in pairs(not_for_template) do
        if result[key] ~= nil then
            errors.raise("invalid_option", 'option "options": %s is not for the template, %s', key, why)
        end
    end
    result.args, result.link, result.supervised = nil, true, true
    return result
end

--- The request for starting a child, without its name and args. Raises an error if it is wrong.
---@param settings table
---@return table
function M.request(settings)
    return options.start(settings.child, start_options(settings.options), core.workers())
end

local function set_child(settings, given)
    local args = given.options and given.options.args
    check_args(args)
    settings.args, settings.n_args = args, args and #args
    if type(given.child) == "function" then
        settings.child = job.new(given.child, args and #args + 1)
        settings.at_end = given.at_end or "finish"
    else
        settings.child = given.child
        settings.at_end = given.at_end
    end
    settings.options = given.options
    M.request(settings)
end

local function set_partitions(settings, given)
    if not given then
        return
    elseif not settings.shards then
        checks.fail("partitions", "needs the option shards: each shard takes a partition", given)
    elseif given ~= true and #given ~= settings.shards then
        checks.fail("partitions", ("must name %d partitions (shards)"):format(settings.shards), given)
    end
    settings.partitions = {}
    for i = 1, settings.shards do
        settings.partitions[i] = given == true and i - 1 or given[i]
    end
end

-- The shards subscribe to these producers themselves if each takes a partition.
local function set_subscribe_to(settings, given)
    if not settings.partitions or given == nil then
        return
    end
    local list, problem = subscriptions.entries(given)
    if problem then
        checks.fail("subscribe_to", problem, given)
    end
    for _, entry in ipairs(list) do
        subscriptions.check(entry)
    end
    settings.subscribe_to = list
end

--- The settings of a supervisor: its options with their defaults. Raises an error if they are wrong.
---@param given table
---@return table settings
function M.settings(given)
    if type(given) ~= "table" then
        errors.raise("invalid_option",
            "consumer_supervisor: expected options such as { child = Definition }, got %s", type(given))
    end
    local checked = checks.apply(schema, given, WHAT)
    if checked.child == nil then
        checks.fail("child", "must be a definition or a function", nil)
    end
    local settings = {
        restart = checked.restart or "temporary",
        shutdown = checked.shutdown or shutdown.DEFAULT_MS,
        max_restarts = checked.max_restarts,
        max_seconds = checked.max_seconds,
        max_children = checked.max_children,
        refill = checked.refill or "finished",
        child_name = type(checked.name) == "function" and checked.name or nil,
        shards = checked.shards,
    }
    if settings.shards and settings.max_children and settings.max_children < settings.shards then
        checks.fail("max_children", ("must be at least %d (shards)"):format(settings.shards),
            settings.max_children)
    end
    set_partitions(settings, checked.partitions)
    set_subscribe_to(settings, checked.subscribe_to)
    set_child(settings, checked)
    return settings
end

return M
