-- SPDX-License-Identifier: MIT

--- The options of a consumer_supervisor, checked, and the template that its children are started from.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local intensity = require "stagehost.supervisor.intensity"
local job = require "stagehost.consumer_supervisor.job"
local options = require "stagehost.options"
local shutdown = require "stagehost.supervisor.shutdown"
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
    shards = checks.integer(1),
    -- of the stage itself, checked at its start
    subscribe_to = checks.anything,
    end_with_last = checks.typed "boolean",
    worker = checks.anything,
}

-- The options of the children's starts that the supervisor sets itself.
local not_for_template = {
    name = "the supervisor names its children: use its option name = function(event) ... end",
    link = "the supervisor links its children with itself",
    supervised = "they always are",
}

-- `args` of the template comes before the event: a list.
local function check_args(args)
    local _, problem = checks.list(args)
    if args ~= nil and problem then
        errors.raise("invalid_option", 'option "options.args" %s: the event becomes its last element, got %s',
            problem, checks.show(args))
    end
end

-- What the start of every child is checked with, and made from.
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

--- The request for starting a child, but for its name and args. Raises what is wrong with it.
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

--- What a supervisor works with: its options with their defaults. Raises what is wrong with them.
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
    set_child(settings, checked)
    return settings
end

return M
