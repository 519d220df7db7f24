-- SPDX-License-Identifier: MIT

--- Stages that make one value of all events, known at the end: reduce, count.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local place = require "stagehost.functions.place"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

--- Copies plain tables in depth, so that a stage which is started again begins with the value that was written.
local function copy(value, seen)
    if type(value) ~= "table" then
        return value
    elseif not seen[value] then
        local result = {}
        seen[value] = result
        for key, field in pairs(value) do
            result[copy(key, seen)] = copy(field, seen)
        end
        setmetatable(result, getmetatable(value))
    end
    return seen[value]
end

-- Made anew by each stage: the JIT compiler then compiles the loop for its function.
local LOOP = [[
local type, fail, f = ...
return function(result, events)
    for i = 1, #events do
        local value = f(result, events[i])
        if value ~= nil then
            result = value
        elseif type(result) ~= "table" then
            fail(result)
        end
    end
    return result
end]]

local callbacks = {}

function callbacks.init(self)
    local initial = self.initial
    self.result = type(initial) == "function" and initial() or copy(initial, {})
    if self.result == nil then
        place.fail("reduce", place.of(initial), "returned nil as the first value")
    end
    self.loop = assert(loadstring(LOOP, ("=%s %s"):format(self.title, self.place)))(type, function(result)
        place.fail("reduce", self.place, "returned nil: expected the next value (nil stands for a table, not for %s)",
            checks.show(result))
    end, self.f)
end

function callbacks.handle_events(self, events)
    self.result = self.loop(self.result, events)
end

--- The result for those who join the pipeline.
function callbacks.pipeline_result(self)
    return self.result
end

local function handle_end(self)
    return { self.result }
end

M.callbacks = callbacks

local function define(title, initial, f, where)
    local fields = tables.copy(callbacks, { title = title, initial = initial, f = f, place = where })
    local as_consumer = stagehost.consumer(fields)
    return stagehost.producer_consumer(tables.copy(callbacks, {
        title = title, initial = initial, f = f, place = where,
        handle_end = handle_end,
        as_consumer = as_consumer,
    }))
end

--- A stage that calls result = f(result, event) for each event and emits the result when all its producers have
--- ended. In a pipeline, running:join() has it under the name of the stage, and no stage needs to follow.
---
---     stagehost.reduce(0, function(sum, n) return sum + n end)
---     stagehost.reduce({}, function(seen, line) seen[line] = true end)
---
--- `initial` is the first value. Each stage begins with a copy of it; a function is called for it. `f` may change a
--- table and return nothing; if any other value is followed by nil, the stage fails. With `instances` each has a
--- result of its own.
---@param initial any
---@param f fun(result: any, event: any): any
---@return stagehost.Definition
function M.reduce(initial, f)
    local where = place.check("reduce", f)
    if initial == nil then
        errors.raise("invalid_option", "reduce: the first value must not be nil")
    end
    return define("reduce", initial, f, where)
end

local function check_key(key)
    if key ~= nil and type(key) ~= "function" and (type(key) ~= "string" or key == "") then
        errors.raise("invalid_option", "count: expected a function or the name of a field, got %s", checks.show(key))
    end
end

local function adder(key, where)
    local get = type(key) == "string" and function(event) return event[key] end or key
    return function(counts, event)
        local value = event
        if get then
            value = get(event)
            if value == nil then
                place.fail("count", where, "has no key for an event: it is nil")
            end
        end
        counts[value] = (counts[value] or 0) + 1
    end
end

--- A stage that counts equal events, and emits a table at the end: how many there were of each. With `key`, a
--- function or the name of a field, it counts what that returns for the event. The result is as that of reduce.
---@param key? string | fun(event: any): any
---@return stagehost.Definition
function M.count(key)
    check_key(key)
    local f = adder(key, type(key) == "function" and place.of(key) or tostring(key))
    return define("count", {}, f, place.of(f))
end

return M
