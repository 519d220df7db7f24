-- SPDX-License-Identifier: MIT

--- The option `combine` of the partition dispatcher. bindings/options/combiner.c keeps the functions that `new`
--- returns. C calls `add` once for a batch; its loop is plain Lua, which compiles together with the script's function.
local find_nil = require "stagehost.engine.batch".find_nil
local with_own_code = require "stagehost.engine.own_code"

local M = {}

local make_add = with_own_code(function(add, error)
    return function(acc, events, first, n)
        for i = first + 1, first + n do
            acc = add(acc, events[i])
            if acc == nil then
                error(i - first, n)
            end
        end
        return acc
    end
end)

local function refuse_accumulator(i, n)
    error(("it returned nil for event %d of %d: it must return the accumulator"):format(i, n), 0)
end

--- The number of events in a list; raises an error if it is none.
local function count(events)
    local kind = type(events)
    if kind == "nil" then
        return 0
    elseif kind == "userdata" and getmetatable(events) == debug.getregistry()["stagehost.strings"] then
        return #events
    elseif kind ~= "table" or events[1] == nil and next(events) ~= nil then
        error(("it returned a %s: it must return a list of events, or nil"):format(
            kind == "table" and "table without a list part" or kind), 0)
    end
    local n = #events
    local hole = find_nil(events, n)
    if hole > 0 then
        error(("it returned a list with a hole (its event %d is nil)"):format(hole), 0)
    end
    return n
end

--- `begin()` makes an accumulator, `add(events, first, n)` adds events first + 1 .. first + n to it, and `emit()` ->
--- list, count takes what it yields.
---@param combine stagehost.Combine
---@return fun() begin
---@return fun(events: any[], first: integer, n: integer) add
---@return fun(): any[]?, integer emit
function M.new(combine)
    local init, emit, acc = combine.init, combine.emit, nil
    local add_all = make_add(combine.add, refuse_accumulator)

    local function begin()
        acc = nil
        if init then
            acc = init()
            if acc == nil then
                error("it returned nil: it must return an accumulator", 0)
            end
        end
    end

    local function add(events, first, n)
        acc = add_all(acc, events, first, n)
    end

    local function emit_all()
        local events = emit(acc)
        acc = nil
        return events, count(events)
    end

    return begin, add, emit_all
end

return M
