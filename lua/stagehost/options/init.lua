-- SPDX-License-Identifier: MIT

--- The options of a stage: they are checked here once, with errors that name the option, the value and what
--- is allowed, and handed to the C half (bindings/options/init_options.c) in one plain form.
local checks = require "stagehost.options.checks"
local definition = require "stagehost.options.definition"
local dispatchers = require "stagehost.options.dispatchers"
local errors = require "stagehost.options.errors"
local limits = require "stagehost.options.limits"
local names = require "stagehost.options.names"
local on_error = require "stagehost.options.on_error"
local subscription = require "stagehost.options.subscription"
local tables = require "stagehost.options.tables"

local M = {}

local function size(value)
    if value == "infinity" or value == math.huge then
        return "infinity"
    elseif type(value) == "string" then
        return nil, 'must be an integer or "infinity"'
    end
    return checks.integer(0)(value)
end

local function name(value)
    if type(value) ~= "string" or value == "" then
        return nil, "must be a non-empty string"
    elseif value:find("^#") then
        return nil, 'must not start with "#", which marks stages without a name'
    elseif value:find("%z") then
        return nil, "must not contain a zero byte"
    end
    return value
end

local schema = checks.schema(names.stage, {
    name = name,
    size = size,
    dispatcher = dispatchers.check,
    rate = limits.rate,
    on_error = on_error,
    subscribe_to = subscription.list,
})

--- The checks of the options of a kind: those that init may return, or all that a start takes.
local function of_kind(kind, is_start)
    local result = {}
    for key, entry in pairs(names.stage) do
        local is_there = is_start or entry.at == nil
        result[key] = is_there and (not entry.kinds or entry.kinds[kind]) and schema[key] or nil
    end
    return result
end

local init_schemas, start_schemas = {}, {}
for _, kind in ipairs { "producer", "producer_consumer", "consumer", "process" } do
    init_schemas[kind], start_schemas[kind] = of_kind(kind, false), of_kind(kind, true)
end

local function check_worker(worker, n_workers)
    if worker == nil or worker == "any" then
        return worker
    end
    local index, problem = checks.integer(0, n_workers - 1)(worker)
    if problem then
        checks.fail("worker", problem .. ' or "any"', worker)
    end
    return index
end

--- The options given at the start, on top of those in the definition.
local function with_definition(kind, def, given)
    local merged = {}
    for key in pairs(start_schemas[kind]) do
        if names.stage[key].at ~= "starter" then
            merged[key] = def[key]
        end
    end
    return tables.extend(merged, given)
end

--- The request for starting `def`: the values that the C half needs before the stage exists (kind,
--- name, worker, args), and the `options` that the new stage applies in its init.
---@param def stagehost.Definition
---@param given? table
---@param n_workers integer
---@return table
function M.start(def, given, n_workers)
    local kind = definition.kind_of(def)
    if given ~= nil and type(given) ~= "table" then
        errors.raise("invalid_option", "start: expected a table of options, got %s", type(given))
    end
    local options = checks.apply(start_schemas[kind], with_definition(kind, def, given), definition.noun(kind))
    subscription.check_min_demand(options)
    local request = {
        kind = kind,
        name = options.name,
        worker = check_worker(options.worker, n_workers),
        args = options.args,
        link = options.link,
        supervised = options.supervised,
        has_results = def.has_results == true or nil,
    }
    for key in pairs(request) do
        options[key] = nil
    end
    request.options = next(options) and options or nil
    return request
end

--- The options that a stage is configured with at the end of its init: those of its start, overridden
--- one by one by those that its init returned; subscriptions of both are made. Returns nil and the
--- error's text instead of raising, since it is the stage's start that fails.
---@param kind stagehost.Kind
---@param started? table as M.start made it
---@param returned? table as the script wrote it
---@return table?, string?
function M.merge(kind, started, returned)
    local ok, options = pcall(checks.apply, init_schemas[kind], returned or {},
        definition.noun(kind))
    if not ok then
        return nil, tostring(options)
    end
    for key, value in pairs(started or {}) do
        if options[key] == nil then
            options[key] = value
        elseif key == "subscribe_to" then
            for i = #value, 1, -1 do
                table.insert(options.subscribe_to, 1, value[i])
            end
        end
    end
    local in_bounds, problem = pcall(subscription.check_min_demand, options)
    return in_bounds and options or nil, not in_bounds and tostring(problem) or nil
end

local defaults_schema = checks.schema(names.defaults)

--- Checks the argument of stagehost.defaults.
---@param given any
---@return table
function M.defaults(given)
    if type(given) ~= "table" then
        errors.raise("invalid_option", "defaults: expected a table such as { max_demand = 100 }, got %s",
            checks.show(given))
    end
    return checks.apply(defaults_schema, given, "stagehost.defaults")
end

--- Checks options of a start that a function like source.list puts into the definition it makes.
---@param kind stagehost.Kind
---@param given any
---@param what string "source.list"
---@return table
function M.for_definition(kind, given, what)
    if given ~= nil and type(given) ~= "table" then
        errors.raise("invalid_option", "%s: expected a table of options, got %s", what, checks.show(given))
    end
    local known = {}
    for key, check in pairs(start_schemas[kind]) do
        known[key] = names.stage[key].at ~= "starter" and check or nil
    end
    checks.apply(known, given or {}, what)
    return given or {}
end

return M
