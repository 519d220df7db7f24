-- SPDX-License-Identifier: MIT

--- Values that every worker has need not travel: the standard library, and whatever a `require`d
--- module holds, go by name: a path such as { "string", "format" } that starts at a module.
---
--- For the standard library, that means the values it held before any script ran: a value that a script adds to
--- _G or to `string` does not exist on another worker, so it travels by value.
local M = {}

local loaded, require = package.loaded, require
local next, rawget, type = next, rawget, type
local concat, insert, sort = table.concat, table.insert, table.sort
local format = string.format

-- _G last: string.format is a better name than _G.string.format.
local STANDARD = {
    "string", "table", "math", "io", "os", "debug", "coroutine", "package", "bit", "ffi", "jit",
    "jit.opt", "jit.util", "string.buffer", "table.new", "table.clear", "_G",
}

-- Keys below a module; require("x").class.method is as deep as people go.
local MAX_DEPTH = 4

local NAMED = { table = true, ["function"] = true, userdata = true, cdata = true }

---@class stagehost.transfer.index object -> the table it is in, and its key there;
--- a module has its name as key, and no table
---@field parent table<any, table>
---@field key table<any, string>

---@return stagehost.transfer.index
local function new_index()
    return { parent = {}, key = {} }
end

local standard = new_index()

-- How often the indexes have changed.
local version = 0

---@param index stagehost.transfer.index
---@param container table
---@param known table<any, string> values that have a better name already
---@param tables table[] gets the tables that were added
local function add_fields(index, container, known, tables)
    for key, value in next, container do
        if type(key) == "string" and NAMED[type(value)]
            and not index.key[value] and not known[value] then
            index.key[value], index.parent[value] = key, container
            if type(value) == "table" then
                insert(tables, value)
            end
        end
    end
end

--- Searches breadth first, so the shortest path wins.
local function add_module(index, name, known)
    local level = { loaded[name] }
    -- The tables in `package` are the lists of everything else.
    for _ = 1, name == "package" and 1 or MAX_DEPTH do
        local deeper = {}
        for _, container in ipairs(level) do
            add_fields(index, container, known, deeper)
        end
        level = deeper
    end
end

---@param index stagehost.transfer.index
---@param list string[] modules
---@param known table<any, string>
local function add_modules(index, list, known)
    -- First all modules by their own names: "x.y" is a better name than "x".y.
    for _, name in ipairs(list) do
        local value = loaded[name]
        if NAMED[type(value)] and not index.key[value] and not known[value] then
            index.key[value] = name
        end
    end
    for _, name in ipairs(list) do
        if type(loaded[name]) == "table" and not known[loaded[name]] then
            add_module(index, name, known)
        end
    end
end

-- The modules that a script has loaded. Each is searched once, which takes as long as a start of a stage.
local modules = { index = new_index(), values = {}, n = 0 }

-- The modules that were loaded since the last call; or nothing and true if one is gone or replaced.
local function list_new()
    local list, values, n = nil, modules.values, 0
    for name, value in next, loaded do
        if values[name] == nil then
            list = list or {}
            insert(list, name)
        elseif values[name] == value then
            n = n + 1
        end
    end
    if n < modules.n then
        return nil, true
    end
    return list, false
end

local function index_modules()
    local list, is_outdated = list_new()
    version = version + (list and 1 or 0) + (is_outdated and 1 or 0)
    if is_outdated then
        modules = { index = new_index(), values = {}, n = 0 }
        list = list_new()
    end
    if list then
        local names = {}
        for _, name in ipairs(list) do
            modules.values[name] = loaded[name]
            modules.n = modules.n + 1
            if type(name) == "string" then
                insert(names, name)
            end
        end
        sort(names)
        add_modules(modules.index, names, standard.key)
    end
end

---@return string[]? # nil if it is not in the index
local function path_in(index, value)
    local path = {}
    while value ~= nil and index.key[value] do
        insert(path, 1, index.key[value])
        value = index.parent[value]
    end
    return path[1] and path
end

-- Whether a path still leads to the value, because no script has put another one there.
local function still_leads_to(path, value)
    local found = loaded
    for _, key in ipairs(path) do
        found = type(found) == "table" and rawget(found, key) or nil
    end
    return found == value
end

--- Notes the values that the standard library holds.
function M.open()
    standard, version = new_index(), version + 1
    add_modules(standard, STANDARD, {})
end

--- A number that changes whenever values may have got other names: those of modules that were loaded since.
---@return integer
function M.version()
    return version
end

--- Whether a value that has no name may get one without a new version: a script has taken it out of its module,
--- and may put it back.
---@param value any
---@return boolean
function M.may_return(value)
    return modules.index.key[value] ~= nil
end

--- Whether a value still has the name that was found for it in this version.
---@param value any
---@param path string[]
---@return boolean
function M.has_name(value, path)
    return standard.key[value] ~= nil or still_leads_to(path, value)
end

--- The name of a value. A module is searched at the first transfer after it was loaded. A value that a script adds
--- to it later has no name: the module on another worker does not have it, so it travels by value.
---@param value any
---@return string[]? # a module's name, then keys; nil: it has no name
function M.find(value)
    local path = path_in(standard, value)
    if path then
        return path
    end
    path = path_in(modules.index, value)
    return path and still_leads_to(path, value) and path or nil
end

--- Notes the modules that are loaded. Call this before a transfer.
M.refresh = index_modules

---@param path string[]
---@return string # as a script would write it
local function format_path(path)
    if #path == 1 then
        return format("require(%q)", path[1])
    end
    return format("require(%q).%s", path[1], concat(path, ".", 2))
end

--- The value that a path names in this state. Loads the module if that is necessary. May raise an error.
---@param path string[]
---@return any
function M.resolve(path)
    local value = rawget(loaded, path[1])
    if value == nil then
        value = require(path[1])
    end
    for i = 2, #path do
        value = type(value) == "table" and value[path[i]] or nil
    end
    if value == nil then
        error(format("%s does not exist on this worker: what a stage uses from a module must be "
            .. "in it as soon as it is loaded", format_path(path)), 0)
    end
    return value
end

return M
