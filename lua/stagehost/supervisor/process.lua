-- SPDX-License-Identifier: MIT

--- The callbacks of a supervisor. They wait while children start and end; exit signals that come
--- meanwhile wait in the supervisor's mailbox.
local answers = require "stagehost.supervisor.answers"
local children = require "stagehost.supervisor.children"
local core = require "stagehost.core"
local guard = require "stagehost.messages.guard"
local notes = require "stagehost.messages.note"
local reasons = require "stagehost.messages.reason"
local requests = require "stagehost.messages.request"
local restarts = require "stagehost.supervisor.restarts"
local stagehost = require "stagehost"
local strategy = require "stagehost.supervisor.strategy"

local M = {}

local callbacks = {}

function callbacks.init(self)
    local spec = self.spec
    self.children = children.new()
    self.restarts = restarts.new(spec)
    local list = self.children.list
    for i, child_spec in ipairs(spec.children) do
        list[i] = children.child(child_spec)
    end
    local failed, message, reason = children.start_list(self.children, list)
    if failed then
        children.stop_all(self.children)
        stagehost.log("warn", "child %q did not start: %s", failed.spec.id, reasons.of_child(message))
        return stagehost.stop(reason)
    end
end

local function slice(list, first, last)
    local part = {}
    for i = first, last do
        if list[i].state == "restarting" then
            part[#part + 1] = list[i]
        end
    end
    return part
end

--- Handles a child that is down, or could not be started: ends other children as the strategy says.
local function go_down(self, child, reason)
    local all = self.children
    local _, index = children.find(all, child.spec.id)
    local first, last = strategy.affected(self.spec.strategy, #all.list, index)
    children.lose(all, child, "restarting")
    children.stop_range(all, first, last, "restarting")
    if not restarts.plan(self.restarts, child, slice(all.list, first, last), reason) then
        core.count_failure(reason)
        return stagehost.stop("shutdown")
    end
end

function callbacks.handle_exit(self, stage, reason)
    local child, is_former = children.take_exit(self.children, stage)
    if is_former then
        return
    elseif not child then -- the signal is of the stage that started this supervisor
        return not reasons.is_normal(reason) and stagehost.stop(reason) or nil
    elseif children.wants_restart(child, reason) and not stagehost.is_draining() then
        return go_down(self, child, reason)
    end
    children.lose(self.children, child, "stopped")
    if child.spec.restart == "temporary" then
        children.remove(self.children, child)
    end
end

local takers = {}

--- Starts the children whose restart is due. If one fails, those started before it are ended
--- again only if the strategy says so.
function takers.restart(self, note)
    local group = restarts.take_due(self.restarts, note.group)
    if not group or stagehost.is_draining() then
        return
    end
    local failed, text, reason = children.start_list(self.children, group.list)
    if failed then
        stagehost.log("warn", "child %q did not start: %s", failed.spec.id, reasons.of_child(text))
        return go_down(self, failed, reason)
    end
end

function callbacks.handle_info(self, message)
    return notes.take("supervisor", takers, self, message)
end

function callbacks.handle_call(self, message)
    return requests.answer("supervisor", answers, self.children, message)
end

function callbacks.handle_cast(_, message)
    guard.message("supervisor", message)
end

function callbacks.terminate(self)
    children.stop_all(self.children)
end

M.callbacks = callbacks

return M
