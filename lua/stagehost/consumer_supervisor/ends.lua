-- SPDX-License-Identifier: MIT

--- The ends of children: a child is started again, or its slot is freed; and all children are ended with the
--- supervisor.
local core = require "stagehost.core"
local last_ends = require "stagehost.consumer_supervisor.last_ends"
local notes = require "stagehost.messages.note"
local producers = require "stagehost.consumer_supervisor.producers"
local reasons = require "stagehost.messages.reason"
local requests = require "stagehost.messages.request"
local shutdown = require "stagehost.supervisor.shutdown"
local stagehost = require "stagehost"

local M = {}

local function now()
    return stagehost.uv.hrtime() / 1e9
end

---@param message any why a child could not be started
function M.report_start(message)
    core.log("error", "a child could not be started: " .. tostring(message), "child_start_failed")
end

--- Tells the ledger that the event of a child that has ended was not handled.
---@param from any id of the subscription it came from; nil: from none
function M.lose(from)
    if from ~= nil then
        core.lose_child_events(1)
    end
end

--- Removes a child that has ended for good, and frees its slot.
---@param self table
---@param child stagehost.ConsumerSupervisor.Child
function M.remove(self, child)
    if child.timer then
        child.timer:cancel()
    end
    self.children:remove(child)
    self.demand:ended(child.from)
    for _, call in ipairs(child.waiting or {}) do
        call:reply(requests.results(true))
    end
end

local function remove_ended(self, child, reason)
    if not child.waiting and not reasons.is_clean(reason) then
        M.lose(child.from)
    end
    M.remove(self, child)
end

local function wants_restart(self, child, reason)
    return self.settings.restart == "transient" and not child.waiting and not reasons.is_clean(reason)
end

-- Tries once to start a child again. Returns false if that is one restart too many.
local function restart(self, child)
    if not self.intensity:add(now()) then
        core.log("error", ("more than %d restarts within %d s: shutting down"):format(
            self.intensity.max_restarts, self.intensity.max_seconds), "max_restart_intensity")
        core.count_failure(child.reason)
        self.has_failed = true
        return false
    end
    local started, message, reason = self.children:start(child)
    if not started and reason == "ignore" then
        M.remove(self, child)
        return true
    end
    self.children:set_restarting(child, not started)
    if not started then
        child.reason = reason or message
        M.report_start(message)
    end
    return true
end

--- Restarts a child that has ended. If that fails, it is tried again after all messages that are
--- waiting now.
---@param self table
---@param child stagehost.ConsumerSupervisor.Child
---@return table? stop
function M.revive(self, child)
    if not restart(self, child) then
        return stagehost.stop("shutdown")
    elseif child.is_restarting then
        self.stage:send(notes.new("retry", { child = child.number }))
    else
        producers.ask(self)
    end
end

--- Handles the end of a child's stage.
---@param self table
---@param child stagehost.ConsumerSupervisor.Child
---@param reason stagehost.Reason
---@return table? stop
function M.ended(self, child, reason)
    if wants_restart(self, child, reason) then
        child.reason = reason
        return M.revive(self, child)
    end
    remove_ended(self, child, reason)
    producers.ask(self)
end

-- Tries to start a child until it runs, or refuses to. Returns false after too many restarts.
local function restart_now(self, child)
    repeat
        if not restart(self, child) then
            return false
        end
    until not child.is_restarting
    return true
end

--- For terminate: waits until every child has ended by itself, restarts included. Returns false after too many
--- restarts.
---@param self table
---@return boolean
function M.finish(self)
    local endings, is_within = last_ends.new(), true
    for _, child in ipairs(self.children:list()) do
        is_within = is_within and (not child.is_restarting or restart_now(self, child))
        endings:add(child.stage)
    end
    while is_within and self.children.count > 0 do
        local stage, reason = endings:next()
        local child = self.children:find(stage)
        if child and wants_restart(self, child, reason) then
            child.reason = reason
            is_within = restart_now(self, child)
            endings:add(child.stage)
        elseif child then
            remove_ended(self, child, reason)
        end
    end
    return is_within
end

--- Ends all children.
---@param self table
---@param account? fun(n: integer) tells the ledger how many events this leaves unhandled
function M.shut_down(self, account)
    local stages, undone = {}, 0
    for _, child in ipairs(self.children:list()) do
        if not child.is_restarting then
            stages[#stages + 1] = child.stage
        end
        if child.from ~= nil and not child.waiting then
            undone = undone + 1
        end
    end
    if account then
        account(undone)
    end
    shutdown.all(stages, self.settings.shutdown)
    for _, child in ipairs(self.children:list()) do
        M.remove(self, child)
    end
end

return M
