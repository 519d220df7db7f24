-- SPDX-License-Identifier: MIT

--- Tables whose fields are files beside them, loaded at the first use.
local errors = require "stagehost.options.errors"

local M = {}

--- `new("stagehost.source", { "lines" })`: `source.lines` is what the module
--- "stagehost.source.lines" has as its `new`, or the module itself if it has none.
---@param prefix string
---@param names string[]
---@return table
function M.new(prefix, names)
    local known = {}
    for _, name in ipairs(names) do
        known[name] = true
    end
    return setmetatable({}, {
        __index = function(self, key)
            if not known[key] then
                errors.raise("unknown_field", "%s has no %s (it has %s)", prefix, tostring(key),
                    table.concat(names, ", "))
            end
            local module = require(prefix .. "." .. key)
            local value = module.new or module
            rawset(self, key, value)
            return value
        end,
    })
end

return M
