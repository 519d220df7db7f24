-- SPDX-License-Identifier: MIT

--- Copies of tables. All are shallow, and have only a table's own fields.
local M = {}

--- Puts the fields of further tables into `into`. A later table wins; nil counts as an empty one.
---@param into table
---@param ... table?
---@return table into
function M.extend(into, ...)
    for i = 1, select("#", ...) do
        for key, value in pairs(select(i, ...) or {}) do
            into[key] = value
        end
    end
    return into
end

--- A new table with the fields of all these. A later table wins; nil counts as an empty one.
---@param ... table?
---@return table
function M.copy(...)
    return M.extend({}, ...)
end

--- The keys of a table, in the order of their texts.
---@param map table
---@return any[]
function M.sorted_keys(map)
    local keys = {}
    for key in pairs(map) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        return tostring(a) < tostring(b)
    end)
    return keys
end

return M
