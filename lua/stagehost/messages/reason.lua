-- SPDX-License-Identifier: MIT

--- Why stages end, and how that reads. Pure.
local errors = require "stagehost.options.errors"

local M = {}

local function is_shutdown(reason)
    return type(reason) == "table" and getmetatable(reason) == nil and reason[1] == "shutdown"
end

--- An end without a reason to tell: its work was done.
---@param reason stagehost.Reason
---@return boolean
function M.is_normal(reason)
    return reason == nil or reason == "normal"
end

--- "normal", "shutdown", { "shutdown", x }: an end that is no crash.
---@param reason stagehost.Reason
---@return boolean
function M.is_clean(reason)
    return M.is_normal(reason) or reason == "shutdown" or is_shutdown(reason)
end

--- For a log line.
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

--- A message of an error, without the stage if that has no name: the child's id says more, and stays
--- the same when it is started again.
---@param message string
---@return string
function M.of_child(message)
    return (message:gsub("^stage<#%d+>: ", ""))
end

return M
