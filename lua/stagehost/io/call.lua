-- SPDX-License-Identifier: MIT

--- Functions of luv that take a callback, called so that the stage waits for the answer; and one
--- form for what went wrong, however luv tells it.
local stagehost = require "stagehost"

local M = {}

-- What luv reports for streams is the name alone.
local STREAM_ERRORS = {
    EPIPE = "broken pipe, nobody reads it any more",
    ECONNRESET = "connection reset by peer",
    ECANCELED = "cancelled",
    EIO = "input/output error",
    EBADF = "bad file descriptor",
    ENOTCONN = "not connected",
}

--- "no such file or directory (ENOENT)" for "ENOENT: no such file or directory: /some/path".
---@param failure string as luv gives it: "NAME", or "NAME: text" with the path behind it
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

--- `f(..., callback)` for a callback of the form `(err, value)`: waits, and returns the value (true
--- if there is none), or nil, a text for people and the code.
---@param f function
---@param ... any
---@return any value
---@return string? message
---@return string? code
function M.wait(f, ...)
    local err, value, name = stagehost.await(f, ...)
    if not err and name and type(value) == "string" then
        err = value -- failed at once: luv's nil, message, name
    end
    if err then
        return nil, M.describe(err)
    end
    return value == nil and true or value
end

return M
