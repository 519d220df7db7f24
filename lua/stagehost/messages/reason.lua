-- SPDX-License-Identifier: MIT

--- The reasons of ends, and their texts. Pure.
local errors = require "stagehost.options.errors"

local M = {}

local function is_shutdown(reason)
    return type(reason) == "table" and getmetatable(reason) == nil and reason[1] == "shutdown"
end

--- Whether a stage ended because its work was done: nil or "normal".
---@param reason stagehost.Reason
---@return boolean
function M.is_normal(reason)
    return reason == nil or reason == "normal"
end

--- Whether an end is no crash: "normal", "shutdown", { "shutdown", x }.
---@param reason stagehost.Reason
---@return boolean
function M.is_clean(reason)
    return M.is_normal(reason) or reason == "shutdown" or is_shutdown(reason)
end

--- The text of a reason, for a log line.
---@param reason stagehost.Reason
---@return string
function M.text(reason)
    if reason == nil then
        return "normal"
    elseif is_shutdown(reason) then
        return "shutdown"
    elseif type(reason) == "table" and not errors.is(reason) and type(reason.message) == "string" then
        return reason.message
    end
    return tostring(reason)
end

--- The message of an error, without the stage if that has no name: the id of the child says more, and stays
--- the same when the child is started again.
---@param message string
---@return string
function M.of_child(message)
    return (message:gsub("^stage<#%d+>: ", ""))
end

return M
