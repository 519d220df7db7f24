-- SPDX-License-Identifier: MIT

--- Fields that are loaded at their first use.
local errors = require "stagehost.options.errors"

local M = {}

local function resolve(place)
    if type(place) == "string" then
        return require(place)
    end
    local module = require(place[1])
    return type(module) == "table" and module[place[2]] or module
end

--- Makes a table load missing fields at their first use.
---@param target table
---@param places table<string, string | string[]> by field: a module; or a module and a field that it may have
---@param refuse? fun(key: any) called for any other field
---@return table target
function M.fields(target, places, refuse)
    return setmetatable(target, {
        places = places,
        __index = function(self, key)
            local place = places[key]
            if place then
                local value = resolve(place)
                rawset(self, key, value)
                return value
            elseif refuse then
                refuse(key)
            end
        end,
    })
end

--- The field of a table with such fields; nil if it has none of that name.
---@param target table
---@param key any
---@return any
function M.find(target, key)
    local meta = getmetatable(target)
    return rawget(target, key) or meta and meta.places[key] and target[key] or nil
end

--- With `new("stagehost.source", { "lines" })`, `source.lines` is the field `new` of the module
--- "stagehost.source.lines", or the module itself if it has no such field.
---@param prefix string
---@param names string[]
---@return table
function M.new(prefix, names)
    local places = {}
    for _, name in ipairs(names) do
        places[name] = { prefix .. "." .. name, "new" }
    end
    return M.fields({}, places, function(key)
        errors.raise("unknown_field", "%s has no %s (it has %s)", prefix, tostring(key), table.concat(names, ", "))
    end)
end

return M
