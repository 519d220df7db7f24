-- SPDX-License-Identifier: MIT

--- Checks the options of a subscription and brings them into the form that bindings/options/subscribe_options.c
--- reads.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local limits = require "stagehost.options.limits"
local names = require "stagehost.options.names"
local tables = require "stagehost.options.tables"

local M = {}

local function partition(value)
    if type(value) == "number" and value % 1 == 0 then
        return ("%d"):format(value)
    elseif type(value) ~= "string" or value == "" then
        return nil, "must be an integer or a string"
    end
    return value
end

local schema = checks.schema(names.subscription, {
    partition = partition,
    rate = limits.rate,
    batch = limits.batch,
})
schema.from = nil -- see M.link

local function check_ack(options)
    if options.max_deliver and not options.ack then
        checks.fail("max_deliver", "needs the option ack = true", options.max_deliver)
    end
end

--- Refuses a min_demand that its max_demand does not allow. Also checks the defaults of a consumer.
---@param options table
function M.check_min_demand(options)
    local min, max = options.min_demand, options.max_demand or core.max_demand()
    if min and min > max - 1 then
        checks.fail("min_demand", ("must be at most %d (max_demand - 1)"):format(max - 1), min)
    end
end

--- The options that handle_subscribe gets: all but those that name the two stages and the subscription replaced.
local function for_callbacks(given)
    local extra = tables.copy(given)
    for key, entry in pairs(names.subscription) do
        if entry.is_hidden then
            extra[key] = nil
        end
    end
    return extra
end

--- Checks the options of one subscription. Options for handle_subscribe and for a dispatcher of the producer
--- travel in `extra`.
---@param given table
---@return table
function M.check(given)
    local options = checks.apply(schema, given, "a subscription", names.subscription_hints)
    if given.to == nil then
        checks.fail("to", "must be a stage handle or a name", nil)
    end
    M.check_min_demand(options)
    check_ack(options)
    limits.check_batch(options, options.max_demand or core.max_demand())
    options.opts, options.extra = nil, for_callbacks(given)
    return options
end

--- Brings one producer into the form `{ to = producer, ... }`; it may be given as `{ producer, max_demand = 10 }`.
local function with_to(entry)
    if type(entry) ~= "table" then
        return { to = entry }
    elseif entry[1] == nil or entry.to ~= nil then
        return entry
    end
    local result = tables.copy(entry, { to = entry[1] })
    result[1] = nil
    return result
end

--- Whether a table has a key that a list can't have: it is then the options of one subscription.
local function is_single(value)
    for key in pairs(value) do
        if type(key) == "string" then
            return true
        end
    end
    return false
end

--- Turns `subscribe_to`, a list or one producer, into a list of tables `{ to = producer, ... }`.
---@param value any
---@return table[]?
---@return string? problem
function M.entries(value)
    local is_one = type(value) == "table" and is_single(value) or checks.stage_or_name(value)
    local list, problem = checks.list(is_one and { value } or value)
    if problem then
        return nil, problem == "must be a list" and "must be a stage, a name, or a list of these" or problem
    end
    local result = {}
    for i, entry in ipairs(list) do
        result[i] = with_to(entry)
    end
    return result
end

--- Checks the option `subscribe_to`.
---@param value any
---@return table[]?
---@return string? problem
function M.list(value)
    local list, problem = M.entries(value)
    if problem then
        return nil, problem
    end
    for i, entry in ipairs(list) do
        list[i] = M.check(entry)
    end
    return list
end

--- Reads `stage:subscribe { to = producer }` or `stage:subscribe { from = consumer }`: returns the consumer and
--- the options.
---@param stage stagehost.Stage
---@param given table
---@return stagehost.Stage consumer
---@return table options
function M.link(stage, given)
    if type(given) ~= "table" then
        errors.raise("invalid_option",
            "subscribe: expected a table of options such as { to = producer }, got %s",
            type(given))
    elseif given.from == nil then
        return stage, M.check(given)
    elseif given.to ~= nil then
        errors.raise("invalid_option",
            'subscribe: give one of the options "to" and "from", not both')
    end
    local consumer, problem = checks.stage(given.from)
    if problem then
        checks.fail("from", problem, given.from)
    end
    local options = tables.copy(given, { to = stage })
    options.from = nil
    return consumer, M.check(options)
end

local redirect_schema = checks.schema(names.redirection)

--- Reads `stagehost.redirect({ producers }, { cancel = ... })`: returns the producers and the cancel mode.
---@param producers any
---@param given any
---@return (stagehost.Stage | string)[]
---@return string?
function M.redirect(producers, given)
    local list, problem = checks.list(producers)
    if problem then
        errors.raise("invalid_option", "redirect: expected a list of stage handles or names: it %s", problem)
    end
    for i, target in ipairs(list) do
        if not checks.stage_or_name(target) then
            errors.raise("invalid_option", "redirect: expected a stage handle or name at %d, got %s", i,
                checks.show(target))
        end
    end
    return list, checks.apply(redirect_schema, given or {}, "a redirection").cancel
end

return M
