-- SPDX-License-Identifier: MIT

--- The children of a running supervisor or pipeline: a list in the order of their start. The functions
--- that start and stop children wait, so they are called from a callback of the supervisor.
local shutdown = require "stagehost.supervisor.shutdown"
local strategy = require "stagehost.supervisor.strategy"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"
local uv = require "luv"

local M = {}

---@class stagehost.Child
---@field spec stagehost.ChildSpec
---@field state "running" | "restarting" | "stopped"
---@field stage? stagehost.Stage while running
---@field started_at? number ms
---@field attempt integer restarts in a row, for the back-off
---@field restarts integer since it was added

---@class stagehost.Children
---@field list stagehost.Child[]
---@field by_stage table<stagehost.Stage, stagehost.Child> the running children
---@field former table<stagehost.Stage, true> stages that we have ended, and whose exit signal is still to come

---@return stagehost.Children
function M.new()
    return { list = {}, by_stage = {}, former = {} }
end

---@param spec stagehost.ChildSpec
---@return stagehost.Child
function M.child(spec)
    return { spec = spec, state = "stopped", attempt = 0, restarts = 0 }
end

---@param all stagehost.Children
---@param id string
---@return stagehost.Child?
---@return integer? index
function M.find(all, id)
    for i, child in ipairs(all.list) do
        if child.spec.id == id then
            return child, i
        end
    end
end

---@param all stagehost.Children
---@param child stagehost.Child
function M.remove(all, child)
    local _, index = M.find(all, child.spec.id)
    table.remove(all.list, index)
end

--- The clock of the functions here.
---@return number ms
function M.now()
    return uv.hrtime() / 1e6
end

local function start_options(spec)
    return tables.copy(spec.options, { link = true, supervised = true })
end

--- Starts a child that does not run. A child whose init returns stagehost.ignore counts as started: it stays
--- "stopped".
---@param all stagehost.Children
---@param child stagehost.Child
---@return boolean? ok
---@return string? message
---@return stagehost.Reason reason
function M.start(all, child)
    local no_error, stage, message, reason = pcall(stagehost.start, child.spec.start,
        start_options(child.spec))
    if not no_error then -- it could not even be sent to its worker
        return nil, tostring(stage), stage
    elseif not stage then
        child.state = "stopped"
        if reason == "ignore" then
            return true
        end
        return nil, message, reason
    end
    child.stage, child.state, child.started_at = stage, "running", M.now()
    all.by_stage[stage] = child
    return true
end

-- An exit signal ends a stage at once, even while it waits. It does not end a stage that traps exits;
-- and a draining host wants all events handled first, within a time limit of its own.
local function end_stage(child, stage)
    local how = child.spec.shutdown
    local is_draining = stagehost.is_draining()
    if is_draining and how ~= "brutal_kill" then
        how = "infinity"
    end
    local is_graceful = is_draining or child.spec.start.handle_exit
    local _, is_late
    if is_graceful then
        _, is_late = shutdown.gracefully(stage, how)
    else
        _, is_late = shutdown.all({ stage }, how)
    end
    if is_late then
        stagehost.log("warn", "child %q has not ended within %s ms of being asked to: it was killed",
            child.spec.id, tostring(how))
    end
end

--- Forgets the stage of a child.
---@param all stagehost.Children
---@param child stagehost.Child
---@param state "restarting" | "stopped"
function M.lose(all, child, state)
    if child.stage then
        all.by_stage[child.stage] = nil
    end
    child.stage, child.state = nil, state
end

--- Ends a child that may be running, as its `shutdown` says.
---@param all stagehost.Children
---@param child stagehost.Child
---@param state "restarting" | "stopped" its state afterwards
function M.stop(all, child, state)
    local stage = child.stage
    M.lose(all, child, state)
    if stage then
        all.former[stage] = true
        end_stage(child, stage)
    end
end

--- Ends the children first .. last, in reverse order.
---@param all stagehost.Children
---@param first integer
---@param last integer
---@param state "restarting" | "stopped"
function M.stop_range(all, first, last, state)
    for i = last, first, -1 do
        local child = all.list[i]
        if child.state ~= "stopped" then
            M.stop(all, child, state)
        end
    end
end

---@param all stagehost.Children
function M.stop_all(all)
    M.stop_range(all, 1, #all.list, "stopped")
end

--- Starts the children of a list in order, up to the first one that fails.
---@param all stagehost.Children
---@param list stagehost.Child[]
---@return stagehost.Child? failed nil: all have started
---@return string? message
---@return stagehost.Reason reason
function M.start_list(all, list)
    for _, child in ipairs(list) do
        local ok, message, reason = M.start(all, child)
        if not ok then
            return child, message, reason
        end
    end
end

--- Returns the child that an exit signal is about, or nil and true for a stage that we have ended.
---@param all stagehost.Children
---@param stage stagehost.Stage
---@return stagehost.Child?
---@return boolean? is_former
function M.take_exit(all, stage)
    if all.former[stage] then
        all.former[stage] = nil
        return nil, true
    end
    return all.by_stage[stage]
end

---@param child stagehost.Child
---@param reason stagehost.Reason
---@return boolean
function M.wants_restart(child, reason)
    return strategy.wants_restart(child.spec.restart, reason)
end

return M
