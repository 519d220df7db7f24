-- SPDX-License-Identifier: MIT

--- The place of an object in a value, in words: `event 3, field "callback"` for events,
--- `handle_events: upvalue "file"` for definitions; and the errors that begin with such a place.
local ffi = require "ffi"

local concat, insert = table.concat, table.insert
local format = string.format
local setmetatable, tostring, type = setmetatable, tostring, type

--- How each object was first reached: from which object, and by which step.
---@class stagehost.transfer.trail
---@field from integer[]
---@field how string[] "field", "key", "metatable", "environment", "upvalue"
---@field step any[] a key, or the name or number of an upvalue
local Trail = {}
Trail.__index = Trail

function Trail:add(id, from, how, step)
    self.from[id], self.how[id], self.step[id] = from, how, step
end

--- The steps from the root to an object, in order.
function Trail:steps(from, how, step)
    local steps = { { how = how, step = step } }
    while from ~= 1 do
        insert(steps, 1, { how = self.how[from], step = self.step[from] })
        from = self.from[from]
    end
    return steps
end

local function format_key(key)
    if type(key) == "string" then
        return format("%q", key)
    end
    return (type(key) == "number" or type(key) == "boolean") and tostring(key) or "a " .. type(key)
end

---@param steps table[]
---@param first integer
local function format_event(steps, first)
    local words = {}
    for i, at in ipairs(steps) do
        if at.how == "key" then
            words[i] = "a key"
        elseif i == 1 then
            words[i] = "event " .. tostring(first + at.step)
        elseif type(at.step) == "number" then
            words[i] = "index " .. tostring(at.step)
        else
            words[i] = "field " .. format_key(at.step)
        end
    end
    return concat(words, ", ")
end

local function format_field(key, is_first)
    if type(key) == "string" and key:find("^[%a_][%w_]*$") then
        return is_first and key or "." .. key
    end
    return "[" .. format_key(key) .. "]"
end

--- The first step leads from the table around the value to the value.
local function format_value(steps)
    local words = {}
    for i = 2, #steps do
        local at = steps[i]
        if at.how == "field" then
            insert(words, format_field(at.step, i == 2))
        else
            insert(words, i == 2 and "" or ": ")
            insert(words, at.how == "key" and "a key" or at.how)
            insert(words, at.step and at.how == "upvalue" and " " .. format_key(at.step) or "")
        end
    end
    return concat(words)
end

local function describe(value)
    if type(value) == "function" and debug.getinfo(value, "S").what == "C" then
        return "a C function"
    elseif type(value) == "cdata" then
        return format("a cdata (%s)", tostring(ffi.typeof(value)):match("^ctype<(.*)>$"))
    end
    return type(value) == "thread" and "a coroutine" or "a " .. type(value)
end

local function raise(where, text)
    error(where == "" and text or where .. ": " .. text, 0)
end

function Trail:format(from, how, step)
    local steps = self:steps(from, how, step)
    if self.first then
        return format_event(steps, self.first)
    end
    return format_value(steps)
end

local M = {}

---@return stagehost.transfer.trail
function M.of_value()
    return setmetatable({ from = {}, how = {}, step = {}, verb = "travel" }, Trail)
end

---@param first integer number of the event before the first one
---@return stagehost.transfer.trail
function M.of_events(first)
    return setmetatable({ from = {}, how = {}, step = {}, verb = "cross", first = first }, Trail)
end

--- Raises the error that the value, `step` away from object `from`, can't travel.
function M.fail(trail, from, how, step, value)
    raise(trail:format(from, how, step),
        format("%s can't %s to another worker", describe(value), trail.verb))
end

--- Raises the error that a function has no bytecode that could be written out.
function M.fail_dump(trail, id, f, message)
    local info = debug.getinfo(f, "S")
    raise(trail:format(trail.from[id], trail.how[id], trail.step[id]),
        format("the function at %s:%d can't travel to another worker: %s", info.short_src,
            info.linedefined, message))
end

--- The children of every object, as { id, how, step, id, how, step, ... }.
local function list_children(links, keyed)
    local children = {}
    local function add(id, how, step, child)
        local list = children[id] or {}
        children[id] = list
        insert(list, child)
        insert(list, how)
        insert(list, step)
    end
    for i = 1, #links, 3 do
        add(links[i], "field", links[i + 1], links[i + 2])
    end
    for i = 1, #keyed, 4 do
        add(keyed[i], "key", false, keyed[i + 1])
        if keyed[i + 3] ~= 0 then
            add(keyed[i], "field", {}, keyed[i + 3])
        end
    end
    return children
end

--- Raises an error if a table contains itself. Searches depth first, with a stack of its own.
---@param trail stagehost.transfer.trail
---@param links any[] of the image
---@param keyed any[] of the image
function M.check_cycles(trail, links, keyed)
    local children = list_children(links, keyed)
    local stack, position, state = { 1 }, { 1 }, { "open" }
    while #stack > 0 do
        local top = #stack
        local id, i = stack[top], position[top]
        local list = children[id] or {}
        local child = list[i]
        position[top] = i + 3
        if not child then
            state[id] = "done"
            stack[top], position[top] = nil, nil
        elseif state[child] == "open" then
            raise(trail:format(id, list[i + 1], list[i + 2]),
                "a table that contains itself can't cross to another worker")
        elseif not state[child] then
            state[child] = "open"
            stack[top + 1], position[top + 1] = child, 1
        end
    end
end

return M
