-- SPDX-License-Identifier: MIT

--- Values as text that is equal for equal values, and the places at which two values differ.
local checks = require "stagehost.options.checks"

local M = {}

-- A list longer than this is cut in a text, and only so many differences are shown.
local MOST_ITEMS, MOST_DIFFERENCES = 20, 5

local function sorted_keys(map)
    local keys = {}
    for key in pairs(map) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
            return a < b
        end
        return type(a) .. tostring(a) < type(b) .. tostring(b)
    end)
    return keys
end

local function key_text(key)
    if type(key) == "string" and key:find "^[%a_][%w_]*$" then
        return key
    end
    return "[" .. M.value(key) .. "]"
end

local function fields_text(value, seen, most)
    local parts, n = {}, #value
    for i = 1, math.min(n, most) do
        parts[i] = M.value(value[i], seen, most)
    end
    if n > most then
        parts[#parts + 1] = ("... %d more"):format(n - most)
    end
    for _, key in ipairs(sorted_keys(value)) do
        local is_item = type(key) == "number" and key >= 1 and key <= n and key % 1 == 0
        if not is_item then
            parts[#parts + 1] = key_text(key) .. " = " .. M.value(value[key], seen, most)
        end
    end
    return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end

--- A value on one line. The fields of a table are sorted.
---@param value any
---@param seen? table tables around it
---@param most? integer items of a list that are shown
---@return string
function M.value(value, seen, most)
    if type(value) == "string" then
        return (("%q"):format(value):gsub("\\\n", "\\n"):gsub("\r", "\\r"):gsub("%z", "\\0"))
    elseif type(value) ~= "table" then
        return tostring(value)
    end
    local meta = getmetatable(value)
    if type(meta) == "table" and meta.__tostring then
        return tostring(value)
    end
    seen = seen or {}
    if seen[value] then
        return "<the table around it>"
    end
    seen[value] = true
    local text = fields_text(value, seen, most or MOST_ITEMS)
    seen[value] = nil
    return text
end

local function is_plain(value)
    return type(value) == "table" and not checks.is_stage(value)
end

local function compare(actual, expected, path, found, around)
    if actual == expected or actual ~= actual and expected ~= expected then
        return
    elseif not is_plain(actual) or not is_plain(expected) then
        found[#found + 1] = { path = path, actual = actual, expected = expected }
        return
    elseif around[actual] == expected then
        return
    end
    around[actual] = expected
    local keys = {}
    for key in pairs(expected) do
        keys[key] = true
    end
    for key in pairs(actual) do
        keys[key] = true
    end
    for _, key in ipairs(sorted_keys(keys)) do
        local where = type(key) == "string" and key:find "^[%a_][%w_]*$" and "." .. key or "[" .. M.value(key) .. "]"
        compare(actual[key], expected[key], path .. where, found, around)
    end
    around[actual] = nil
end

--- Tells two values apart. Tables are equal if their fields are.
---@param actual any
---@param expected any
---@return string? text nil: they are equal
function M.difference(actual, expected)
    local found = {}
    compare(actual, expected, "", found, {})
    if #found == 0 then
        return nil
    end
    local lines = { "expected: " .. M.value(expected), "     got: " .. M.value(actual) }
    if is_plain(actual) and is_plain(expected) then
        if #actual ~= #expected then
            lines[#lines + 1] = ("  length: expected %d, got %d"):format(#expected, #actual)
        end
        for i = 1, math.min(#found, MOST_DIFFERENCES) do
            local one = found[i]
            lines[#lines + 1] = ("      at %s: expected %s, got %s"):format(one.path, M.value(one.expected),
                M.value(one.actual))
        end
        if #found > MOST_DIFFERENCES then
            lines[#lines + 1] = ("      and %d more"):format(#found - MOST_DIFFERENCES)
        end
    end
    return table.concat(lines, "\n")
end

return M
