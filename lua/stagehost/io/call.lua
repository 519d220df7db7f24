-- SPDX-License-Identifier: MIT

--- Calls functions of luv that take a callback, so that the stage waits for the result; and gives errors one
--- form, however luv reports them.
local stagehost = require "stagehost"

local M = {}

-- For streams luv reports only the name of an error.
local STREAM_ERRORS = {
    EPIPE = "broken pipe, nobody reads it any more",
    ECONNRESET = "connection reset by peer",
    ECANCELED = "cancelled",
    EIO = "input/output error",
    EBADF = "bad file descriptor",
    ENOTCONN = "not connected",
}

--- "no such file or directory (ENOENT)" for "ENOENT: no such file or directory: /some/path".
---@param failure string as luv gives it: "NAME", or "NAME: text" followed by the path
---@return string text
---@return string? code "ENOENT"
function M.describe(failure)
    local code, text = failure:match("^(E%u[%u%d]*): ([^:]*)")
    if code then
        return ("%s (%s)"):format(text, code), code
    elseif failure:find("^E%u[%u%d]*$") then
        local known = STREAM_ERRORS[failure]
        return known and ("%s (%s)"):format(known, failure) or failure, failure
    end
    return failure
end

--- Calls `f(..., callback)`, whose callback has the form `(err, value)`. Waits, and returns the value (true
--- if there is none), or nil, a text for people and the code.
---@param f function
---@param ... any
---@return any value
---@return string? message
---@return string? code
function M.wait(f, ...)
    local err, value, name = stagehost.await(f, ...)
    if not err and name and type(value) == "string" then
        err = value -- it failed at once and returned nil, message, name
    end
    if err then
        return nil, M.describe(err)
    end
    return value == nil and true or value
end

return M
