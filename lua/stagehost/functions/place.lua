-- SPDX-License-Identifier: MIT

--- Checks of the functions that stages are made of, and how errors name them.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"

local M = {}

--- The place of a function in its source, "words.lua:12". For a function in C, which has none: the place of the call
--- of the library.
---@param f function
---@return string
function M.of(f)
    local info = debug.getinfo(f, "S")
    if info.what ~= "C" and info.linedefined > 0 then
        return ("%s:%d"):format(info.short_src, info.linedefined)
    end
    local caller = errors.caller()
    return caller and ("%s:%d"):format(caller.short_src, caller.currentline) or "C"
end

--- Checks the function that a stage is made of, and returns its place.
---@param what string "map"
---@param f any
---@return string
function M.check(what, f)
    if type(f) ~= "function" then
        errors.raise("invalid_option", "%s: expected a function, got %s", what, checks.show(f))
    end
    return M.of(f)
end

--- Raises an error about what a function has returned, with its place and not that of the caller.
---@param what string "map"
---@param place string
---@param format string
---@param ... any
function M.fail(what, place, format, ...)
    error(errors.new {
        name = "bad_return_value",
        message = ("%s (%s) %s"):format(what, place, format:format(...)),
    }, 0)
end

return M
