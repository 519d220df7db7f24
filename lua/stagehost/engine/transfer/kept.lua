-- SPDX-License-Identifier: MIT

--- Definitions that are started on other workers again and again are flattened and encoded once, and again when
--- anything in them has changed. Upvalues and tables travel as they are at the time of a start: so each start compares
--- all that the definition reaches with what it was made of, value by value, which takes a fraction of the time.
local flatten = require "stagehost.engine.transfer.flatten"
local names = require "stagehost.engine.transfer.names"
local buffer = require "string.buffer"

local getfenv, getmetatable = debug.getfenv, debug.getmetatable
local getupvalue, upvalueid = debug.getupvalue, debug.upvalueid
local next, pcall, rawequal, setmetatable, type = next, pcall, rawequal, setmetatable, type

local M = {}

-- Longer ones are not kept: most of their time is spent on their bytes.
local MAX_BYTES = 64 * 1024

-- A definition that has changed before each of so many starts in a row is not kept any more.
local MAX_MISSES = 8

-- Stands for nil in a list.
local NIL = {}

local function weak(mode)
    return setmetatable({}, { __mode = mode })
end

--- What a definition was made of. Nothing here keeps the definition alive.
---@class stagehost.transfer.kept
---@field bytes string its image
---@field misses integer starts in a row before which it has changed
---@field handles table of the image
---@field version integer of names.lua
---@field ids table<any, integer> the objects
---@field cells table<any, integer> the variables of functions, by upvalueid
---@field tables table[]
---@field metatables any[] of the tables; false: none
---@field fields any[] key, value, key, ... of all tables, in their order
---@field ends integer[] the last number in `fields` of each table
---@field functions function[]
---@field environments table[]
---@field upvalues any[] of all functions
---@field upvalue_ids any[]
---@field named any[] objects that travel by name
---@field paths string[][] their names

local function note_table(kept, t)
    local i, fields = #kept.ends + 1, kept.fields
    local n = kept.ends[i - 1] or 0
    for key, value in next, t do
        fields[n + 1], fields[n + 2] = key, value
        n = n + 2
        if type(key) == "cdata" or type(value) == "cdata" then
            return false
        end
    end
    kept.tables[i], kept.metatables[i], kept.ends[i] = t, getmetatable(t) or false, n
    return true
end

local function note_function(kept, f)
    local i, upvalues = kept.n_functions + 1, kept.upvalues
    kept.n_functions, kept.functions[i], kept.environments[i] = i, f, getfenv(f)
    local k = 1
    local name, value = getupvalue(f, k)
    while name do
        if type(value) == "cdata" then
            return false
        end
        local n = kept.n_upvalues + 1
        kept.n_upvalues, kept.upvalue_ids[n] = n, upvalueid(f, k)
        upvalues[n] = value == nil and NIL or value
        k = k + 1
        name, value = getupvalue(f, k)
    end
    return true
end

local function note_object(kept, walk, id)
    local kind, object = walk.kinds[id], walk.found[id]
    if kind == "n" then
        local n = #kept.paths + 1
        kept.named[n], kept.paths[n] = object, walk.objects[id]
        return true
    elseif kind == "h" then
        return true
    end
    kept.ids[object] = id
    if names.may_return(object) then
        return false
    end
    return (kind == "t" and note_table or note_function)(kept, object)
end

--- Returns nil if it could not be told later whether something has changed. Takes note before the image is made of
--- the walk.
---@param walk stagehost.transfer.walk
---@return stagehost.transfer.kept?
local function note(walk)
    local kept = {
        version = names.version(), ids = weak "k", cells = walk.cell_ids,
        tables = weak "v", metatables = weak "v", fields = weak "v", ends = {},
        functions = weak "v", environments = weak "v", n_functions = 0,
        upvalues = weak "v", upvalue_ids = {}, n_upvalues = 0,
        named = weak "v", paths = {},
        handles = setmetatable(walk.handles, { __mode = "v" }), n_handles = walk.n_handles,
    }
    for id = 2, walk.n do -- 1 is the table around the definition
        if not note_object(kept, walk, id) then
            return nil
        end
    end
    return kept
end

-- Whether two values are the same to a script: 0 and -0 are not, nor are two NaNs.
local function is_same(a, b)
    return rawequal(a, b) and (a ~= 0 or 1 / a == 1 / b)
end

local function are_tables_same(kept)
    local fields, ends = kept.fields, kept.ends
    local n = 0
    for i = 1, #ends do
        local t = kept.tables[i]
        if t == nil or not rawequal(getmetatable(t) or false, kept.metatables[i]) then
            return false
        end
        local last = ends[i]
        for key, value in next, t do
            if n == last or not rawequal(key, fields[n + 1]) or not is_same(value, fields[n + 2]) then
                return false
            end
            n = n + 2
        end
        if n ~= last then
            return false
        end
    end
    return true
end

local function are_functions_same(kept)
    local n, upvalues, upvalue_ids = 0, kept.upvalues, kept.upvalue_ids
    for i = 1, kept.n_functions do
        local f = kept.functions[i]
        if f == nil or not rawequal(getfenv(f), kept.environments[i]) then
            return false
        end
        local k = 1
        local name, value = getupvalue(f, k)
        while name do
            n = n + 1
            if value == nil then
                value = NIL
            end
            if not is_same(value, upvalues[n]) or upvalueid(f, k) ~= upvalue_ids[n] then
                return false
            end
            k = k + 1
            name, value = getupvalue(f, k)
        end
    end
    return true
end

local function are_names_same(kept)
    for i, path in ipairs(kept.paths) do
        local object = kept.named[i]
        if object == nil or not names.has_name(object, path) then
            return false
        end
    end
    return kept.version == names.version()
end

local function is_current(kept)
    names.refresh()
    return are_names_same(kept) and are_tables_same(kept) and are_functions_same(kept)
end

-- true: the definition has been started once; false: it is not worth while
---@type table<table, stagehost.transfer.kept | boolean>
local all = weak "k"

---@return stagehost.transfer.kept?
local function make(context, definition)
    local ok, walk = pcall(flatten.walk, context, definition)
    local kept = ok and note(walk)
    if not kept then
        return nil
    end
    kept.bytes = buffer.encode(walk:image())
    return #kept.bytes <= MAX_BYTES and kept or nil
end

--- Keeps a definition that was not kept, or has changed.
local function renew(context, definition, before)
    local misses = before == true and 0 or before.misses + 1
    local kept = misses < MAX_MISSES and make(context, definition)
    if kept then
        kept.misses = misses
    end
    all[definition] = kept or false
    return kept or nil
end

--- The image of a definition as it is now, if it is worth while to keep it: from its second start on.
---@param context table
---@param definition table
---@return stagehost.transfer.kept?
function M.find(context, definition)
    local kept = all[definition]
    if kept == nil then
        all[definition] = true
        return nil
    elseif kept == false then
        return nil
    elseif kept == true or not is_current(kept) then
        return renew(context, definition, kept)
    end
    kept.misses = 0
    return kept
end

return M
