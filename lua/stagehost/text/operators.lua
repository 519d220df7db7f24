-- SPDX-License-Identifier: MIT

--- The operators with options that have been checked: what the functions and the stages share.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local text = require "stagehost.core.text"

local M = {}

--- Compiled patterns by their options; they are many only if a script makes them up.
local MOST_PATTERNS = 100
local patterns, n_patterns = {}, 0

--- A packed list; of a table of strings, a new one.
---@param list any
---@param what string "text.field"
---@return stagehost.Strings
function M.pack(list, what)
    if type(list) == "userdata" then
        return list
    elseif type(list) ~= "table" then
        errors.raise("invalid_argument", "%s: expected a packed list or a table of strings, got %s", what,
            checks.show(list))
    end
    local ok, packed = pcall(core.pack, list)
    if not ok then
        errors.raise("invalid_argument", "%s: %s", what, packed)
    end
    return packed
end

--- The pattern of a select.
---@param options table
---@param what string
---@return stagehost.text.Pattern
function M.pattern(options, what)
    local is_plain = options.contains ~= nil
    local key = (is_plain and "=" or "%") .. (options.contains or options.pattern)
    if patterns[key] then
        return patterns[key]
    end
    local pattern, problem = text.pattern(options.contains or options.pattern, is_plain)
    if not pattern then
        errors.raise("invalid_option", '%s: option "pattern": %s, in %s', what, problem, checks.show(options.pattern))
    end
    if n_patterns == MOST_PATTERNS then
        patterns, n_patterns = {}, 0
    end
    patterns[key], n_patterns = pattern, n_patterns + 1
    return pattern
end

function M.split(list, options)
    return text.split(list, options.field or 0, options.separator)
end

function M.field(list, options)
    return text.field(list, options.field, options.separator)
end

function M.select(list, options, what)
    return text.select(list, M.pattern(options, what), options.invert or false)
end

function M.count(counts, list, options)
    counts:add(list, options.field or 0, options.separator)
end

return M
