-- SPDX-License-Identifier: MIT

--- The option `dispatcher`: turns what a script writes into the one form that bindings/options/dispatcher.c
--- reads, a table with `kind` and the options of that kind.
---
---     "demand" | "fair" | "broadcast"
---     { "broadcast", replay = 100 }
---     { "demand", max_demand = 100, shuffle_demands_on_first_dispatch = true }
---     { "partition", partitions = 4 | { "odd", "even" }, hash = "field" | function(event) ... end,
---         groups = true, discard = true, limit = 100, overflow = "wait" | "discard", keep = "last" | "first",
---         combine = { init =, add =, emit =, every =, every_ms = } }
---     Dispatcher | { Dispatcher, any = "options" }    a table of callbacks (lua_dispatcher.c)
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local option_names = require "stagehost.options.names"
local tables = require "stagehost.options.tables"

local M = {}

local CALLBACKS = { subscribe = true, cancel = true, ask = true, dispatch = true }
local OPTIONAL_CALLBACKS = { init = true, credit = true }

local function check_name(name)
    local is_integer = type(name) == "number" and name % 1 == 0
    if not is_integer and (type(name) ~= "string" or name == "") then
        errors.raise("invalid_option",
            'option "partitions": a partition must be an integer or a string, got %s',
            checks.show(name))
    elseif name == "none" then
        errors.raise("invalid_option", 'option "partitions": "none" is what a hash returns for '
            .. "events that go to no partition, so no partition can have that name")
    end
    return is_integer
end

--- Makes a list of names of a count or a list, and also returns the first name that is not an integer.
local function check_partitions(partitions)
    if type(partitions) == "number" then
        local count, problem = checks.integer(1, 2 ^ 20)(partitions)
        if problem then
            checks.fail("partitions", problem, partitions)
        end
        local names = {}
        for i = 1, count do
            names[i] = i - 1
        end
        return names
    end
    local list, problem = checks.list(partitions)
    if problem or #list == 0 then
        checks.fail("partitions", problem and "must be a count or a list of names"
            or "must have at least one name", partitions)
    end
    local names, seen, named = {}, {}, nil
    for i, name in ipairs(list) do
        named = named or not check_name(name) and name or nil
        if seen[tostring(name)] then
            errors.raise("invalid_option", 'option "partitions": %s appears twice',
                checks.show(name))
        end
        seen[tostring(name)] = true
        names[i] = name
    end
    return names, named
end

local function check_hash(hash)
    if type(hash) ~= "function" and (type(hash) ~= "string" or hash == "") then
        return nil, "must be a function or the name of a field"
    end
    return hash
end

local combine_schema = checks.schema(option_names.combine)

-- Raises an error that begins with the name of the option.
local function check_combine(combine)
    if type(combine) ~= "table" then
        return nil, "must be a table { init =, add =, emit =, every =, every_ms = }"
    end
    local result = checks.apply(combine_schema, combine, 'the option "combine"')
    for _, name in ipairs { "add", "emit" } do
        if not result[name] then
            errors.raise("invalid_option", 'option "combine" needs the function "%s", as in combine = '
                .. "{ init = function() return {} end, add = function(acc, event) return acc end, "
                .. "emit = function(acc) return {} end }", name)
        end
    end
    return result
end

local kinds = {}

local schemas = {}
for kind, entries in pairs(option_names.dispatchers) do
    schemas[kind] = checks.schema(entries, { hash = check_hash, combine = check_combine })
end

local function apply(kind, options)
    return checks.apply(schemas[kind], options, ("the dispatcher %q"):format(kind))
end

function kinds.demand(options)
    return apply("demand", options)
end

function kinds.fair(options)
    return apply("fair", options)
end

function kinds.broadcast(options)
    return apply("broadcast", options)
end

function kinds.partition(options)
    if options.partitions == nil then
        errors.raise("partitions_required",
            'the dispatcher "partition" needs the option "partitions", as in '
            .. '{ "partition", partitions = 4 }')
    end
    local result = apply("partition", options)
    if result.overflow and not result.limit then
        errors.raise("invalid_option", 'option "overflow" is for partitions with a "limit"')
    elseif result.keep and result.overflow ~= "discard" then
        errors.raise("invalid_option", 'option "keep" is for partitions with overflow = "discard"')
    end
    local names, named = check_partitions(options.partitions)
    if named and not result.hash then
        errors.raise("hash_required", 'option "hash" is required when a partition is not an '
            .. "integer (%s): it says which partition an event goes to", checks.show(named))
    end
    local texts = {}
    for i, name in ipairs(names) do
        texts[i] = type(name) == "number" and ("%d"):format(name) or name
    end
    result.partitions, result.names, result.texts = nil, names, texts
    return result
end

local function check_callbacks(callbacks)
    for name in pairs(CALLBACKS) do
        if type(callbacks[name]) ~= "function" then
            errors.raise("invalid_option", 'option "dispatcher": a dispatcher needs the '
                .. "callbacks %s (%s is %s)", checks.list_keys(CALLBACKS), name,
                checks.show(callbacks[name]))
        end
    end
    for name in pairs(OPTIONAL_CALLBACKS) do
        local callback = callbacks[name]
        if callback ~= nil and type(callback) ~= "function" then
            errors.raise("invalid_option", 'option "dispatcher": the callback %s must be a '
                .. "function, got %s", name, checks.show(callback))
        end
    end
end

--- Returns the option `dispatcher` in the form of the C half. Raises an error if it is wrong.
---@param value any
---@return table
function M.check(value)
    local what, options = value, {}
    if type(value) == "table" and value[1] ~= nil then
        what, options = value[1], tables.copy(value)
        options[1] = nil
    end
    if type(what) == "table" then
        check_callbacks(what)
        return { kind = "custom", callbacks = what, options = options }
    end
    local check = type(what) == "string" and kinds[what]
    if not check then
        checks.fail("dispatcher",
            'must be "broadcast", "demand", "fair", "partition" or a table of callbacks', what)
    end
    local result = check(options)
    result.kind = what
    return result
end

return M
