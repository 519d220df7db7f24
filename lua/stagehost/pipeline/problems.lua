-- SPDX-License-Identifier: MIT

--- A list of everything that is wrong with a pipeline, reported at once.
local errors = require "stagehost.options.errors"

local M = {}

---@class stagehost.Problems
---@field list string[]
local Problems = {}
Problems.__index = Problems

---@return stagehost.Problems
function M.new()
    return setmetatable({ list = {} }, Problems)
end

---@param format string
---@param ... any
function Problems:add(format, ...)
    table.insert(self.list, select("#", ...) > 0 and format:format(...) or format)
end

--- Returns the result of a check that may raise an error; the error becomes a problem.
---@param where string what the problem is about, in front of the text
---@param f function
---@param ... any
---@return any
function Problems:try(where, f, ...)
    local result, problem = errors.try(f, ...)
    if problem then
        self:add("%s: %s", where, problem)
    end
    return result
end

--- Raises an error that lists all problems, if there are any.
---@param what string
function Problems:raise(what)
    local n = #self.list
    if n > 0 then
        errors.raise("invalid_pipeline", "%s", ("%s has %d problem%s:\n  - %s"):format(what, n,
            n == 1 and "" or "s", table.concat(self.list, "\n  - ")))
    end
end

return M
