-- SPDX-License-Identifier: MIT

--- Makes a value from an image; flatten.lua describes images.
local names = require "stagehost.engine.transfer.names"
local new_table = require "table.new"

local byte, find = string.byte, string.find
local next, rawset = next, rawset
local getfenv, setfenv = debug.getfenv, debug.setfenv
local globals = _G
local setmetatable = debug.setmetatable
local setupvalue, upvaluejoin = debug.setupvalue, debug.upvaluejoin

local M = {}

local TABLE, FUNCTION, NAME = byte "t", byte "f", byte "n"

--- Every call makes a function with variables of its own, so closures don't share them by mistake. A function
--- that has none is loaded once for an image that is used again.
local function load_function(context, image, id)
    local record, shared = image.objects[id], image.shared
    if not shared or #record > 2 or record[2] ~= 0 then
        return context.load_dump(image.dumps[record[1]])
    end
    local f = shared[id]
    if not f or getfenv(f) ~= globals then -- a stage may have changed it
        f = context.load_dump(image.dumps[record[1]])
        shared[id] = f
    end
    return f
end

local function copy(t)
    local result = {}
    for key, value in next, t do
        result[key] = value
    end
    return result
end

--- Resolves names first: loading a module runs code, which must not see unfinished objects.
local function make_objects(context, image, handles, n_before)
    local objects, kinds = image.objects, image.kinds
    local made = new_table(#kinds, 0)
    if find(kinds, "n", 1, true) then
        for id = 1, #kinds do
            if byte(kinds, id) == NAME then
                made[id] = names.resolve(objects[id])
            end
        end
    end
    for id = 1, #kinds do
        local kind = byte(kinds, id)
        if kind == TABLE then
            made[id] = image.shared and copy(objects[id]) or objects[id]
        elseif kind == FUNCTION then
            made[id] = load_function(context, image, id)
        elseif kind ~= NAME then
            made[id] = handles[n_before + objects[id]]
        end
    end
    return made
end

local function link_tables(image, made)
    local links, keyed = image.links, image.keyed
    for i = 1, #links, 3 do
        rawset(made[links[i]], links[i + 1], made[links[i + 2]])
    end
    for i = 1, #keyed, 4 do
        local value = keyed[i + 2]
        if keyed[i + 3] ~= 0 then
            value = made[keyed[i + 3]]
        end
        rawset(made[keyed[i]], made[keyed[i + 1]], value)
    end
end

--- Whether a function of the image has variables, or an environment of its own.
---@param image table
---@return boolean
function M.has_links(image)
    for id = 1, #image.kinds do
        local record = image.objects[id]
        if byte(image.kinds, id) == FUNCTION and (#record > 2 or record[2] ~= 0) then
            return true
        end
    end
    return false
end

--- The first function that has a cell owns it; the others are joined to it.
local function link_functions(image, made)
    local owner, place, has_value = {}, {}, {}
    for id = 1, #image.kinds do
        if byte(image.kinds, id) == FUNCTION then
            local f, record = made[id], image.objects[id]
            if record[2] ~= 0 then
                setfenv(f, made[record[2]])
            end
            for i = 1, #record - 2 do
                local cell = record[i + 2]
                if owner[cell] then
                    upvaluejoin(f, i, owner[cell], place[cell])
                else
                    owner[cell], place[cell] = f, i
                end
            end
        end
    end
    for i = 1, #image.cell_links, 2 do
        local cell = image.cell_links[i]
        has_value[cell] = true
        setupvalue(owner[cell], place[cell], made[image.cell_links[i + 1]])
    end
    for cell = 1, image.n_cells do
        if not has_value[cell] then
            setupvalue(owner[cell], place[cell], image.cells[cell])
        end
    end
end

local function set_metatables(context, image, made)
    for i = 1, #image.metatables, 2 do
        setmetatable(made[image.metatables[i]], made[image.metatables[i + 1]])
    end
    for _, id in ipairs(image.errors) do
        setmetatable(made[id], context.error_metatable)
    end
end

---@param context table error_metatable, load_dump
---@param image table used up, unless it has the fields of templates.lua: `shared`, functions without
--- variables by their ids, and `has_links`
---@param handles any[]
---@param n_before? integer number of handles before those of the image
---@return table root
function M.make(context, image, handles, n_before)
    local made = make_objects(context, image, handles, n_before or 0)
    link_tables(image, made)
    if image.has_links ~= false then
        link_functions(image, made)
    end
    set_metatables(context, image, made)
    return made[1]
end

return M
