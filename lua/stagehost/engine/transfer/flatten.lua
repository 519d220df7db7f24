-- SPDX-License-Identifier: MIT

--- Flattens a value into an image: plain data without sharing and nesting, which the serializer can
--- handle. rebuild.lua is the reverse. Every object (table, function, name, handle)
--- has a number, in order of discovery; 1 is the root, a table.
---
--- An image:
---   kinds       one letter an object: t, f, n, h
---   objects     [id] = t: a table of its fields that are plain; it becomes the copy itself
---                      f: { dump, environment (id or 0), cell, cell, ... }
---                      n: path of names.lua;  h: index into the handles
---   links       id, key, id, ...: fields that are objects and have plain keys
---   keyed       id, id, value | nothing, id | 0, ...: fields whose keys are objects
---   metatables  id, id, ...;  errors: ids of the tables with the metatable of errors
---   dumps       bytecode, one for each function that was written
---   cells       [cell] = value of an upvalue, if it is plain;  cell_links: cell, id, ...
local ffi = require "ffi"
local assigned = require "stagehost.engine.transfer.assigned"
local names = require "stagehost.engine.transfer.names"
local place = require "stagehost.engine.transfer.place"

local concat = table.concat
local dump = string.dump
local getinfo, getfenv = debug.getinfo, debug.getfenv
local getmetatable = debug.getmetatable
local getupvalue, upvalueid = debug.getupvalue, debug.upvalueid
local istype = ffi.istype
local next, pcall, setmetatable, type = next, pcall, setmetatable, type

local globals = _G
local INT64, UINT64, COMPLEX = ffi.typeof "int64_t", ffi.typeof "uint64_t", ffi.typeof "complex"

-- A placeholder for the value in `keyed` where that is an object.
local NOTHING = false

local PLAIN = { ["nil"] = true, boolean = true, number = true, string = true }

---@class stagehost.transfer.walk
---@field context table userdata_kind, error_metatable
---@field find? fun(value: any): string[]? names; nil for events, which have neither names nor functions
---@field ids table<any, integer>
---@field found any[] object of each id
---@field trail stagehost.transfer.trail how each id was reached
---@field kept? stagehost.transfer.kept a definition that travels in an image of its own, beside this one
---@field shares? true an object or a variable belongs to both
local Walk = {}
Walk.__index = Walk

local function new_walk(context, trail)
    return setmetatable({
        context = context, ids = {}, found = {}, trail = trail, n = 0,
        kinds = {}, objects = {}, links = {}, keyed = {}, metatables = {}, errors = {},
        dumps = {}, n_dumps = 0, dump_ids = {},
        cells = {}, n_cells = 0, cell_links = {}, cell_ids = {},
        handles = {}, n_handles = 0,
    }, Walk)
end

function Walk:is_plain(value)
    local kind = type(value)
    if kind == "userdata" then
        return self.context.userdata_kind(value) == "light"
    elseif kind == "cdata" then
        return istype(INT64, value) or istype(UINT64, value) or istype(COMPLEX, value)
    end
    return PLAIN[kind]
end

--- The letter of an object and its form in the image; nil if it can't travel.
function Walk:classify(value)
    local kind = type(value)
    if kind == "userdata" and self.context.userdata_kind(value) == "handle" then
        self.n_handles = self.n_handles + 1
        self.handles[self.n_handles] = value
        return "h", self.n_handles
    end
    local path = self.find and self.find(value)
    if path then
        return "n", path
    elseif kind == "table" then
        return "t", {}
    elseif kind == "function" and self.find and getinfo(value, "S").what ~= "C" then
        return "f", {}
    end
end

--- The number of an object that was found at `step` from the object `from`.
---@return integer
function Walk:refer(value, from, how, step)
    local id = self.ids[value]
    if id then
        return id
    end
    local letter, image = self:classify(value)
    if not letter then
        place.fail(self.trail, from, how, step, value)
    end
    if self.kept and (letter == "t" or letter == "f") and self.kept.ids[value] then
        self.shares = true
    end
    id = self.n + 1
    self.n, self.ids[value], self.found[id] = id, id, value
    self.kinds[id], self.objects[id] = letter, image
    self.trail:add(id, from, how, step)
    return id
end

local function append2(list, a, b)
    local n = #list
    list[n + 1], list[n + 2] = a, b
end

local function append3(list, a, b, c)
    local n = #list
    list[n + 1], list[n + 2], list[n + 3] = a, b, c
end

function Walk:expand_keyed(id, key, value)
    local key_id = self:refer(key, id, "key", key)
    local keyed = self.keyed
    if self:is_plain(value) then
        append2(keyed, id, key_id)
        append2(keyed, value, 0)
    else
        local value_id = self:refer(value, id, "field", key)
        append2(keyed, id, key_id)
        append2(keyed, NOTHING, value_id)
    end
end

function Walk:expand_metatable(id, t)
    local metatable = getmetatable(t)
    if metatable == nil then
        return
    elseif metatable == self.context.error_metatable then
        self.errors[#self.errors + 1] = id
    elseif self.find then
        append2(self.metatables, id, self:refer(metatable, id, "metatable"))
    end
end

function Walk:expand_table(id, t)
    local plain, links = self.objects[id], self.links
    for key, value in next, t do
        if not self:is_plain(key) then
            self:expand_keyed(id, key, value)
        elseif self:is_plain(value) then
            plain[key] = value
        else
            append3(links, id, key, self:refer(value, id, "field", key))
        end
    end
    self:expand_metatable(id, t)
end

--- The bytecode of functions that have travelled; it never changes.
local codes = setmetatable({}, { __mode = "k" })

--- The bytecode of a function. Functions made of the same text have the same bytecode, which is in an image once.
function Walk:dump(id, f)
    local code = codes[f]
    if not code then
        local ok, result = pcall(dump, f)
        if not ok then
            place.fail_dump(self.trail, id, f, result)
        end
        code, codes[f] = result, result
    end
    local index = self.dump_ids[code]
    if not index then
        index = self.n_dumps + 1
        self.n_dumps, self.dump_ids[code], self.dumps[index] = index, index, code
    end
    return index
end

--- The variable behind an upvalue, which several functions may share.
function Walk:cell(id, f, i, name, value)
    local key = upvalueid(f, i)
    local cell = self.cell_ids[key]
    if cell then
        return cell
    end
    if self.kept and self.kept.cells[key] then
        self.shares = true
    end
    cell = self.n_cells + 1
    self.n_cells, self.cell_ids[key] = cell, cell
    if self:is_plain(value) then
        self.cells[cell] = value
    else
        append2(self.cell_links, cell, self:refer(value, id, "upvalue", name ~= "" and name or i))
    end
    return cell
end

function Walk:expand_function(id, f)
    local image = self.objects[id]
    local environment = getfenv(f)
    assigned.warn(f)
    image[1] = self:dump(id, f)
    image[2] = environment == globals and 0 or self:refer(environment, id, "environment")
    local i = 1
    local name, value = getupvalue(f, i)
    while name do
        image[i + 2] = self:cell(id, f, i, name, value)
        i = i + 1
        name, value = getupvalue(f, i)
    end
end

--- Uses a list of work instead of recursion, so nesting has no limit.
function Walk:expand_all()
    local id = 1
    while id <= self.n do
        local letter = self.kinds[id]
        if letter == "t" then
            self:expand_table(id, self.found[id])
        elseif letter == "f" then
            self:expand_function(id, self.found[id])
        end
        id = id + 1
    end
end

function Walk:image()
    return {
        kinds = concat(self.kinds), objects = self.objects, links = self.links,
        keyed = self.keyed, metatables = self.metatables, errors = self.errors,
        dumps = self.dumps, cells = self.cells, n_cells = self.n_cells,
        cell_links = self.cell_links,
    }
end

--- Flattens everything from the root on. The root itself never travels by name.
function Walk:run(root)
    self.n, self.ids[root], self.found[1] = 1, 1, root
    self.kinds[1], self.objects[1] = "t", {}
    self:expand_all()
end

local M = {}

--- Flattens events: they may have no functions, no metatables but that of errors, and no cycles.
---@param context table
---@param list table
---@param first integer number of the event before the first one, for messages
---@return table image
---@return table handles
function M.events(context, list, first)
    local walk = new_walk(context, place.of_events(first))
    walk:run(list)
    place.check_cycles(walk.trail, walk.links, walk.keyed)
    return walk:image(), walk.handles
end

--- The walk over a value that may have functions. Its root is a table whose field 1 is the value.
---@param context table
---@param value any
---@param kept? stagehost.transfer.kept
---@return stagehost.transfer.walk
function M.walk(context, value, kept)
    local walk = new_walk(context, place.of_value())
    names.refresh()
    walk.find, walk.kept = names.find, kept
    walk:run({ value })
    return walk
end

---@param context table
---@param value any
---@return table image of a table whose field 1 is the value
---@return table handles
function M.value(context, value)
    local walk = M.walk(context, value)
    return walk:image(), walk.handles
end

return M
