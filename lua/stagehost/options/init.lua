-- SPDX-License-Identifier: MIT

--- The options of starting and subscribing: checked here once, with errors that name the option,
--- the value and what is known, and handed to the C half (bindings/options.c) in one plain form.
local checks = require "stagehost.options.checks"
local definition = require "stagehost.options.definition"
local dispatchers = require "stagehost.options.dispatchers"
local errors = require "stagehost.options.errors"
local limits = require "stagehost.options.limits"
local tables = require "stagehost.options.tables"

local M = {}

-- What the C header writes for these (SH_BUFFER_INFINITY, SH_BUFFER_NONE, SH_WORKER_ANY).
local BUFFER_INFINITY, BUFFER_NONE = -1, -2
local WORKER_ANY = -1

local DEFAULT_MAX_DEMAND = 1000

local function buffer_size(value)
    if value == "infinity" or value == math.huge then
        return BUFFER_INFINITY
    elseif value == 0 then
        return BUFFER_NONE
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

local function partition(value)
    if type(value) == "number" and value % 1 == 0 then
        return ("%d"):format(value)
    elseif type(value) ~= "string" or value == "" then
        return nil, "must be an integer or a string"
    end
    return value
end

local subscription_schema = {
    to = checks.stage_or_name,
    max_demand = checks.integer(1),
    min_demand = checks.integer(0),
    cancel = checks.one_of("permanent", "transient", "temporary"),
    partition = partition,
    selector = checks.typed "function",
    weight = checks.integer(1, 1000000),
    priority = checks.integer(-2 ^ 31, 2 ^ 31 - 1),
    ack = checks.typed "boolean",
    max_deliver = checks.integer(1, 2 ^ 31),
    current = checks.subscription,
    rate = limits.rate,
    batch = limits.batch,
    reason = checks.anything,
}

-- These say who subscribes to whom and what it replaces: nothing for handle_subscribe.
local not_for_callbacks = { to = true, from = true, current = true, reason = true }

local function check_ack(options)
    if options.max_deliver and not options.ack then
        checks.fail("max_deliver", "needs the option ack = true", options.max_deliver)
    end
end

local function check_min_demand(options)
    local min, max = options.min_demand, options.max_demand or DEFAULT_MAX_DEMAND
    if min and min > max - 1 then
        checks.fail("min_demand", ("must be at most %d (max_demand - 1)"):format(max - 1), min)
    end
end

--- The options of one subscription. Keys nobody here knows are for handle_subscribe and for a
--- dispatcher of the producer; they travel in `extra`.
---@param given table
---@return table
function M.subscription(given)
    local options = checks.apply(subscription_schema, given, "a subscription", true)
    if given.to == nil then
        checks.fail("to", "expected a stage handle or name", nil)
    end
    check_min_demand(options)
    check_ack(options)
    limits.check_batch(options, options.max_demand or DEFAULT_MAX_DEMAND)
    options.extra = tables.copy(given)
    for key in pairs(not_for_callbacks) do
        options.extra[key] = nil
    end
    return options
end

--- `stage:subscribe { to = producer }` or `stage:subscribe { from = consumer }`: the consumer, and
--- its options.
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
        return stage, M.subscription(given)
    elseif given.to ~= nil then
        errors.raise("invalid_option",
            'subscribe: give one of the options "to" and "from", not both')
    elseif not checks.is_stage(given.from) then
        checks.fail("from", "expected a stage handle", given.from)
    end
    local options = tables.copy(given, { to = stage })
    options.from = nil
    return given.from, M.subscription(options)
end

local redirect_schema = { cancel = checks.one_of("permanent", "transient", "temporary") }

--- `stagehost.redirect({ producers }, { cancel = ... })`: the producers, and the cancel mode.
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

local function subscribe_to(value)
    local list, problem = checks.list(value)
    if problem then
        return nil, problem
    end
    local result = {}
    for i, entry in ipairs(list) do
        if type(entry) ~= "table" then
            entry = { to = entry }
        end
        result[i] = M.subscription(entry)
    end
    return result
end

local after = checks.one_of("stop", "skip", "dead_letter")

local retry_schema = {
    times = checks.integer(1, 2 ^ 31),
    delay = checks.integer(0),
    factor = function(value)
        if type(value) ~= "number" or value ~= value or value < 1 or value == math.huge then
            return nil, "must be a number, at least 1"
        end
        return value
    end,
    after = after,
}

-- What the C header writes for "at once" (SH_RETRY_NOW).
local RETRY_NOW = -1

local function retry(value)
    local given = tables.copy(value)
    if given[1] ~= "retry" then
        return nil, 'must be a word or { "retry", times =, delay =, factor =, after = }'
    end
    given[1] = nil
    local ok, checked = pcall(checks.apply, retry_schema, given, 'on_error = { "retry", ... }')
    if not ok then
        return nil, "can't be used: " .. tostring(checked)
    end
    checked.policy = "retry"
    checked.delay = checked.delay == 0 and RETRY_NOW or checked.delay
    return checked
end

local on_error_word = checks.one_of("stop", "skip", "retry", "dead_letter")

local function on_error(value)
    if type(value) == "table" then
        return retry(value)
    end
    local word, problem = on_error_word(value)
    return word and { policy = word }, problem
end

local producer_schema = {
    dead_letter = checks.stage_or_name,
    dispatcher = dispatchers.check,
    buffer_size = buffer_size,
    buffer_keep = checks.one_of("last", "first"),
    discard_buffer_when_no_consumers = checks.typed "boolean",
    demand = checks.one_of("forward", "accumulate"),
    demand_by = checks.typed "boolean",
    polling_interval = checks.integer(1),
    rate = limits.rate,
    await_consumers = checks.typed "boolean",
}

local init_schemas = {
    producer = producer_schema,
    producer_consumer = {
        dispatcher = producer_schema.dispatcher,
        buffer_size = producer_schema.buffer_size,
        buffer_keep = producer_schema.buffer_keep,
        discard_buffer_when_no_consumers = producer_schema.discard_buffer_when_no_consumers,
        demand_by = producer_schema.demand_by,
        rate = producer_schema.rate,
        await_consumers = producer_schema.await_consumers,
        subscribe_to = subscribe_to,
        end_with_last = checks.typed "boolean",
        on_error = on_error,
        dead_letter = checks.stage_or_name,
    },
    consumer = {
        subscribe_to = subscribe_to,
        end_with_last = checks.typed "boolean",
        on_error = on_error,
        dead_letter = checks.stage_or_name,
    },
    process = {},
}

-- What the starter decides about its relation to the new stage: never a matter of the definition.
local starter_schema = { link = checks.typed "boolean", supervised = checks.typed "boolean" }

local start_schemas = {}
for kind, init_schema in pairs(init_schemas) do
    start_schemas[kind] = tables.copy({ name = name, args = checks.anything, worker = checks.anything },
        init_schema, starter_schema)
end

local function check_worker(worker, n_workers)
    if worker == nil then
        return 0
    elseif worker == "any" then
        return WORKER_ANY
    end
    local index, problem = checks.integer(0, n_workers - 1)(worker)
    if problem then
        checks.fail("worker", problem .. ' or "any"', worker)
    end
    return index + 1
end

--- The request for starting `def`: what the C half needs to know before the stage exists (kind,
--- name, worker, args), and the `options` that are applied by the new stage in its init.
---@param def stagehost.Definition
---@param given? table
---@param n_workers integer
---@return table
function M.start(def, given, n_workers)
    local kind = definition.kind_of(def)
    if given ~= nil and type(given) ~= "table" then
        errors.raise("invalid_option", "start: expected a table of options, got %s", type(given))
    end
    local schema, merged = start_schemas[kind], {}
    for key in pairs(schema) do
        if not starter_schema[key] then
            merged[key] = def[key]
        end
    end
    tables.extend(merged, given)
    local options = checks.apply(schema, merged, definition.noun(kind))
    local request = {
        kind = kind,
        name = options.name,
        worker = check_worker(options.worker, n_workers),
        args = options.args,
        link = options.link,
        supervised = options.supervised,
    }
    for key in pairs(request) do
        options[key] = nil
    end
    request.options = next(options) and options or nil
    return request
end

--- What a stage is configured with at the end of its init: the options of its start, overridden
--- one by one by those its init returned; subscriptions of both are made. Returns nil and the
--- error's text instead of raising: it is the stage's start that fails.
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
    return options
end

return M
