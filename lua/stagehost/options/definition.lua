-- SPDX-License-Identifier: MIT

--- Definitions: tables of callbacks, checked when they are made. A definition may also hold helper
--- functions, constants and defaults for the options of its start; a field that looks like a callback but
--- is none would never be called, so it is an error here.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local names = require "stagehost.options.names"
local nearest = require "stagehost.options.nearest"
local tables = require "stagehost.options.tables"

---@alias stagehost.Kind "producer" | "producer_consumer" | "consumer" | "process"

local M = {}

local function set(...)
    local words = {}
    for _, word in ipairs { ... } do
        words[word] = true
    end
    return words
end

local callbacks = {
    producer = set("init", "handle_demand", "handle_subscribe", "handle_cancel", "handle_call",
        "handle_cast", "handle_info", "handle_notification", "handle_exit", "handle_down", "format_discarded",
        "terminate"),
    producer_consumer = set("init", "handle_demand", "handle_events", "handle_subscribe",
        "handle_cancel", "handle_call", "handle_cast", "handle_info", "handle_notification", "handle_end",
        "handle_exit", "handle_down", "format_discarded", "terminate"),
    consumer = set("init", "handle_events", "handle_subscribe", "handle_cancel", "handle_call",
        "handle_cast", "handle_info", "handle_notification", "handle_end", "handle_exit", "handle_down",
        "terminate"),
    process = set("init", "handle_call", "handle_cast", "handle_info", "handle_exit", "handle_down",
        "terminate"),
}

-- A producer needs no handle_demand: it may emit from other callbacks, and the host remembers the
-- demand.
local required = {
    producer = {},
    producer_consumer = { "handle_events" },
    consumer = { "handle_events" },
    process = {},
}

--- The options that a definition of each kind may give.
local option_names = {}
for kind in pairs(callbacks) do
    option_names[kind] = {}
    for name, entry in pairs(names.stage) do
        local is_there = entry.at ~= "starter" and (not entry.kinds or entry.kinds[kind])
        option_names[kind][name] = is_there or nil
    end
end

local all_callbacks = {}
for _, of_kind in pairs(callbacks) do
    for name in pairs(of_kind) do
        all_callbacks[name] = true
    end
end

--- Definitions that were checked in this Lua state. One that came from another worker is checked
--- at its first use.
local checked = setmetatable({}, { __mode = "k" })

--- "a producer", for error texts.
---@param kind stagehost.Kind
---@return string
function M.noun(kind)
    return "a " .. kind
end

local function fail_unknown(key, value, kind)
    if all_callbacks[key] then
        errors.raise("invalid_definition", "%s has no callback %s (it has %s)", M.noun(kind), key,
            checks.list_keys(callbacks[kind]))
    elseif names.stage[key] and names.stage[key].kinds then
        if type(value) == "function" then
            return -- a helper of that name
        end
        errors.raise("invalid_definition", "%s has no option %s (it has %s)", M.noun(kind), key,
            checks.list_keys(option_names[kind]))
    end
    local meant = nearest(key, callbacks[kind]) or nearest(key, option_names[kind])
    if meant then
        errors.raise("invalid_definition", "unknown callback or option %s of %s: did you mean %s?",
            checks.show(key), M.noun(kind), checks.show(meant))
    elseif key:find("^handle_") then
        errors.raise("invalid_definition", "unknown callback %s of %s (known: %s)",
            checks.show(key), M.noun(kind), checks.list_keys(callbacks[kind]))
    end
end

local function check_key(key, value, kind)
    if callbacks[kind][key] then
        if type(value) ~= "function" then
            errors.raise("invalid_definition", "callback %s of %s must be a function, got %s", key,
                M.noun(kind), checks.show(value))
        end
    elseif type(key) == "string" and not option_names[kind][key] then
        fail_unknown(key, value, kind)
    end
end

local function check(def, kind)
    for _, key in ipairs(tables.sorted_keys(def)) do
        check_key(key, def[key], kind)
    end
    for _, name in ipairs(required[kind]) do
        if type(def[name]) ~= "function" then
            errors.raise("invalid_definition", "%s needs the callback %s", M.noun(kind), name)
        end
    end
    checked[def] = true
end

--- Makes `def` a definition of that kind: checks it and marks it. Returns `def` itself.
---@param kind stagehost.Kind
---@param def table
---@return stagehost.Definition
function M.new(kind, def)
    if type(def) ~= "table" then
        errors.raise("invalid_definition", "%s is defined by a table of callbacks, got %s",
            kind, type(def))
    elseif def.kind ~= nil and def.kind ~= kind then
        errors.raise("invalid_definition", 'the field "kind" of %s is for the library, got %s',
            M.noun(kind), checks.show(def.kind))
    end
    check(def, kind)
    def.kind = kind
    return def
end

--- The kind of a definition. Raises an error if `def` is not a definition.
---@param def any
---@return stagehost.Kind
function M.kind_of(def)
    local kind = type(def) == "table" and def.kind
    if not kind or not callbacks[kind] then
        errors.raise("invalid_definition", "expected a definition made by stagehost.producer, "
            .. ".producer_consumer, .consumer or .process, got %s", checks.show(def))
    end
    if not checked[def] then
        check(def, kind)
    end
    return kind
end

return M
