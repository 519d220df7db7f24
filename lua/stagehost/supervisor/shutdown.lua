-- SPDX-License-Identifier: MIT

--- How supervisors end children: a child is told to end and has some time for that, then it is killed.
---
---     shutdown = 5000            milliseconds that it has (the default), or "5s"
---     shutdown = "infinity"      as long as it takes
---     shutdown = "brutal_kill"   killed at once
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"

local M = {}

M.DEFAULT_MS = 5000

--- Checks the option `shutdown`.
---@param value any
---@return any, string?
function M.check(value)
    if value == "infinity" or value == "brutal_kill" then
        return value
    end
    local ms, problem = checks.duration(0)(value)
    return ms, problem and problem .. ', or "infinity" or "brutal_kill"'
end

--- Tells a child to end. Does not wait: if `how` is a number, the caller kills the child when
--- that many milliseconds have passed.
---@param child stagehost.Stage
---@param how integer | "infinity" | "brutal_kill"
function M.tell(child, how)
    if how == "brutal_kill" then
        child:kill()
    else
        child:exit("shutdown")
    end
end

-- Kills the children that are still alive after some time. Returns a function that cancels this, and
-- returns whether it was too late.
local function kill_after(ms, children)
    local timers = {}
    for i, child in ipairs(children) do
        timers[i] = core.kill_after(ms, child)
    end
    return function()
        local is_late = false
        for _, timer in ipairs(timers) do
            is_late = not timer:cancel() or is_late
        end
        return is_late
    end
end

--- Ends children: all are told at once, and have equal time. Waits until all have ended. For
--- callers that take no messages meanwhile, such as terminate.
---@param children stagehost.Stage[]
---@param how integer | "infinity" | "brutal_kill"
---@return stagehost.Reason[] reasons why each of them ended
---@return boolean is_late the time was up before all had ended
function M.all(children, how)
    for _, child in ipairs(children) do
        M.tell(child, how)
    end
    local call_off = type(how) == "number" and kill_after(how, children)
    local reasons = {}
    for i, child in ipairs(children) do
        reasons[i] = core.end_reason(child)
    end
    return reasons, call_off and call_off() or false
end

--- Ends one child after the messages it has got so far, and waits for the end. For a child that traps
--- exits, which an exit signal would not end, and for a child that has to finish its work.
---@param child stagehost.Stage
---@param how integer | "infinity" | "brutal_kill"
---@return stagehost.Reason reason why it ended
---@return boolean is_late the time was up before the child had ended
function M.gracefully(child, how)
    if how == "brutal_kill" then
        child:kill()
        return core.end_reason(child), false
    end
    local call_off = type(how) == "number" and kill_after(how, { child })
    child:stop("shutdown")
    local is_late = call_off and call_off() or false
    return core.end_reason(child), is_late
end

return M
