-- SPDX-License-Identifier: MIT

--- Small checks of one value each, and `apply`, which puts a table of options through a table of
--- checks. A check returns the value in the form that the C half reads, or nil and what is wrong with it
--- ("must be an integer"); `apply` adds the name of the option and the value that was given.
local errors = require "stagehost.options.errors"
local nearest = require "stagehost.options.nearest"

---@alias stagehost.Check fun(value: any): any, string?

local M = {}

local MAX_INTEGER = 2 ^ 53
local registry = debug.getregistry()

--- How a value is named in an error: a string in quotes, a value without a short text by its type.
---@param value any
---@return string
function M.show(value)
    local kind = type(value)
    if kind == "string" then
        return ("%q"):format(value)
    elseif kind == "table" or kind == "function" or kind == "thread" then
        return "a " .. kind
    end
    return tostring(value)
end

--- The keys of a table as sorted text, quoted: `"a", "b"`.
---@param map table
---@return string
function M.list_keys(map)
    local keys = {}
    for key in pairs(map) do
        keys[#keys + 1] = M.show(key)
    end
    table.sort(keys)
    return table.concat(keys, ", ")
end

---@param min? integer
---@param max? integer
---@return stagehost.Check
function M.integer(min, max)
    return function(value)
        if type(value) ~= "number" or value % 1 ~= 0 or math.abs(value) > MAX_INTEGER then
            return nil, "must be an integer"
        elseif min and value < min then
            return nil, ("must be at least %d"):format(min)
        elseif max and value > max then
            return nil, ("must be at most %d"):format(max)
        end
        return value
    end
end

local UNITS = { ms = 1, s = 1000, m = 60 * 1000, h = 60 * 60 * 1000 }

--- The milliseconds of a duration with its unit, "250ms", "1.5s", "5m", "1h"; nil if it is none.
---@param text string
---@return number?
function M.parse_duration(text)
    local number, unit = text:match "^(%d+%.?%d*)(%a+)$"
    return UNITS[unit] and tonumber(number) * UNITS[unit] or nil
end

--- A check for a number of milliseconds, or a string with its unit.
---@param min? integer in milliseconds
---@param max? integer
---@return stagehost.Check
function M.duration(min, max)
    local check = M.integer(min, max)
    return function(value)
        local ms = type(value) == "string" and M.parse_duration(value) or value
        local result, problem = check(ms)
        if problem == "must be an integer" then
            problem = 'must be an integer of milliseconds, or a duration such as "250ms", "10s", "5m"'
        end
        return result, problem
    end
end

--- A check for one of these strings.
---@param ... string
---@return stagehost.Check
function M.one_of(...)
    local allowed = {}
    for _, word in ipairs { ... } do
        allowed[word] = true
    end
    local problem = "must be one of " .. M.list_keys(allowed)
    return function(value)
        if value == nil or not allowed[value] then
            return nil, problem
        end
        return value
    end
end

--- A check for a value of that Lua type.
---@param kind string
---@return stagehost.Check
function M.typed(kind)
    local problem = "must be a " .. kind
    return function(value)
        if type(value) ~= kind then
            return nil, problem
        end
        return value
    end
end

function M.anything(value)
    return value
end

local function first_nil(list)
    local i = 1
    while list[i] ~= nil do
        i = i + 1
    end
    return i
end

--- A check for a table with the keys 1 to n and no others.
---@param value any
---@return any list
---@return string? problem
---@return integer? hole the first element that is nil and has others after it
function M.list(value)
    if type(value) ~= "table" then
        return nil, "must be a list"
    end
    local n, last = 0, 0
    for key in pairs(value) do
        if type(key) ~= "number" or key % 1 ~= 0 or key < 1 then
            return nil, ("must be a list (it has the key %s)"):format(M.show(key))
        end
        n, last = n + 1, math.max(last, key)
    end
    if n < last then
        local hole = first_nil(value)
        return nil, ("must be a list without holes (element %d is nil)"):format(hole), hole
    end
    return value
end

local function is_object(value, name)
    return type(value) == "userdata" and getmetatable(value) == registry[name]
end

---@param value any
---@return boolean
function M.is_stage(value)
    return is_object(value, "stagehost.stage")
end

--- A check for a handle, or a name that a stage may be registered under.
---@param value any
---@return any, string?
function M.stage_or_name(value)
    if M.is_stage(value) or type(value) == "string" and value ~= "" then
        return value
    end
    return nil, "must be a stage handle or a name"
end

---@param value any
---@return any, string?
function M.stage(value)
    if M.is_stage(value) then
        return value
    end
    return nil, "must be a stage handle"
end

---@param value any
---@return any, string?
function M.subscription(value)
    if is_object(value, "stagehost.subscription") then
        return value
    end
    return nil, "must be a subscription"
end

--- A table of options, or a string that stands for the main one, `key`.
---@param given any
---@param key string
---@return table
function M.table_or(given, key)
    if type(given) == "string" then
        return { [key] = given }
    elseif given ~= nil and type(given) ~= "table" then
        M.fail(key, "must be a string or a table of options", given)
    end
    return given or {}
end

--- Raises what is wrong with one option.
---@param key any
---@param problem string
---@param value any
function M.fail(key, problem, value)
    errors.raise("invalid_option", 'option "%s" %s, got %s', key, problem, M.show(value))
end

-- The types of entries in options/names.lua that several options share.
local makers = {
    any = function() return M.anything end,
    boolean = function() return M.typed "boolean" end,
    ["function"] = function() return M.typed "function" end,
    handle = function() return M.stage end,
    integer = function(entry) return M.integer(entry.min, entry.max) end,
    stage = function() return M.stage_or_name end,
    subscription = function() return M.subscription end,
    ms = function(entry) return M.duration(entry.min, entry.max) end,
    table = function() return M.typed "table" end,
    word = function(entry) return M.one_of(unpack(entry.words)) end,
}

--- The checks of options, as options/names.lua describes them.
---@param entries table<string, table>
---@param own? table<string, stagehost.Check> checks for types that only these options have
---@return table<string, stagehost.Check>
function M.schema(entries, own)
    local schema = {}
    for name, entry in pairs(entries) do
        local kind = entry[1]
        schema[name] = own and own[kind] or makers[kind](entry)
    end
    return schema
end

local function hint(unknown, schema, hints)
    local key = next(unknown)
    if type(key) ~= "string" or next(unknown, key) ~= nil then
        return ""
    elseif hints and hints[key] then
        return ": " .. hints[key]
    end
    local meant = nearest(key, schema, true)
    return meant and (": did you mean %s?"):format(M.show(meant)) or ""
end

--- Returns the options in the form that the C half reads. Raises an error for the first one that is wrong
--- (in order of their names, so that the same mistake always gives the same error).
---@param schema table<string, stagehost.Check>
---@param given table
---@param what string the owner of the options: "a producer"
---@param hints? table<string, string> hints for some unknown options
---@return table
function M.apply(schema, given, what, hints)
    local checked, failing, unknown = {}, nil, nil
    for key, value in pairs(given) do
        local check = schema[key]
        if check then
            local result, problem = check(value)
            if problem and (not failing or key < failing.key) then
                failing = { key = key, problem = problem, value = value }
            end
            checked[key] = result
        else
            unknown = unknown or {}
            unknown[key] = true
        end
    end
    if unknown then
        errors.raise("unknown_option", "unknown option %s of %s%s (known: %s)", M.list_keys(unknown), what,
            hint(unknown, schema, hints), M.list_keys(schema))
    elseif failing then
        M.fail(failing.key, failing.problem, failing.value)
    end
    return checked
end

return M
