-- SPDX-License-Identifier: MIT

--- Handles messages that a stage of this library does not know: they are ignored, and the log names the
--- message.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"

local M = {}

local SHOWN_BYTES = 60

local function show(value)
    if type(value) == "string" and #value > SHOWN_BYTES then
        return checks.show(value:sub(1, SHOWN_BYTES)) .. "..."
    end
    return checks.show(value)
end

local function report(name, what, value, hint)
    core.log("warn", ("%s: unexpected %s, ignored: %s%s"):format(name, what, show(value),
        hint and " (" .. hint .. ")" or ""), "unhandled_info")
end

--- For handle_info and handle_cast.
---@param name string of the stage, for the log: "source.lines"
---@param message any
function M.message(name, message)
    report(name, "message", message)
end

--- For handle_call: the caller gets nil.
---@param name string
---@param request any
---@param hint? string the known requests
---@return nil
function M.request(name, request, hint)
    report(name, "request", request, hint)
    return nil
end

return M
