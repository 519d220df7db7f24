-- SPDX-License-Identifier: MIT

--- The stage of a consumer_supervisor.
---
--- It is a consumer with manual subscriptions that traps exits. Whenever it waits, for the init of a
--- child, exits and events gather in its mailbox: state only changes by the callback that runs.
local child_demand = require "stagehost.consumer_supervisor.child_demand"
local children = require "stagehost.consumer_supervisor.children"
local core = require "stagehost.core"
local ends = require "stagehost.consumer_supervisor.ends"
local intensity = require "stagehost.supervisor.intensity"
local producers = require "stagehost.consumer_supervisor.producers"
local reasons = require "stagehost.supervisor.reason"
local requests = require "stagehost.consumer_supervisor.requests"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"
local template = require "stagehost.consumer_supervisor.template"

local M = {}

-- What the stage sends itself, and what the functions of init.lua call it with, are
-- tables with this key; all else that comes is nothing to it.
M.KEY = "consumer_supervisor"

local callbacks = {}

function callbacks.init(self)
    local settings = self.settings
    self.demand = child_demand.new(settings.max_children, settings.refill)
    self.intensity = intensity.new(settings.max_restarts, settings.max_seconds)
    self.children = children.new(settings.child, template.request(settings), settings)
    self.subscriptions = {} -- by id
    self.has_source_ended = false -- normally, and nothing has happened since
    self.has_failed = false
end

--- With a limit, producers that are subscribed to together share it: what they are asked is settled
--- when all are known. A shard asks for nothing before it is told that all shards are subscribed.
function callbacks.handle_subscribe(self, _, opts, from)
    producers.open(self, opts, from, self.settings.is_shard or false)
    if self.settings.max_children then
        self.stage:send { [self.KEY] = "ask" }
    else
        producers.ask(self)
    end
    return "manual"
end

function callbacks.handle_cancel(self, reason, from)
    producers.close(self, from)
    self.has_source_ended = reason == "normal"
    producers.ask(self)
end

function callbacks.handle_events(self, events, from)
    local id = from.id
    self.has_source_ended = false
    local excess = self.demand:arrived(id, #events)
    if excess > 0 then
        core.log("error", ("got %d events more than it had asked for"):format(excess), "excess")
    end
    for i = 1, #events do
        local child, message, reason = self.children:add(events[i], id)
        if not child then
            self.demand:ended(id)
            if reason ~= "ignore" then
                ends.report_start(message)
                ends.lose(id)
            end
        end
    end
    producers.ask(self)
end

--- Exits that are not of children are of those it is linked with, or sent: it goes with them.
function callbacks.handle_exit(self, stage, reason)
    self.has_source_ended = false
    local child = stage and self.children:find(stage)
    if child then
        return ends.ended(self, child, reason)
    elseif reason ~= "normal" then
        return stagehost.stop(reason)
    end
end

local messages = {}

function messages.ask(self)
    producers.ask(self)
end

function messages.release(self, message)
    self.demand:release(message.subscription)
    producers.ask(self)
end

function messages.retry(self, message)
    local child = self.children:find(message.child)
    if child and child.is_restarting then
        return ends.revive(self, child)
    end
end

--- A child that is to end has taken too long.
function messages.kill(self, message)
    local child = self.children:find(message.child)
    if child then
        child.stage:kill()
    end
end

function callbacks.handle_info(self, message)
    local take = type(message) == "table" and messages[message[self.KEY]]
    if take then
        return take(self, message)
    end
    stagehost.log("warn", "unexpected message, ignored")
end

function callbacks.handle_cast()
    stagehost.log("warn", "unexpected cast, ignored")
end

function callbacks.handle_call(self, request, from)
    self.has_source_ended = false
    local answer = type(request) == "table" and requests[request[self.KEY]]
    if not answer then
        stagehost.log("warn", "unknown request, ignored; use the functions of stagehost.consumer_supervisor")
        return nil
    end
    return answer(self, request, from)
end

--- An orderly end of the source, or of the host, lets children finish what they do, if the settings
--- say so. Else they are told to end, and their events are unfinished, unless the settings want that;
--- after a stop by hand they are those of any stage that chose to stop.
function callbacks.terminate(self, reason)
    local at_end, is_orderly = self.settings.at_end, self.has_source_ended or stagehost.is_draining()
    if at_end == "finish" and is_orderly and ends.finish(self) then
        return
    end
    local account = core.leave_behind
    if self.has_failed or not reasons.is_clean(reason) or is_orderly and at_end ~= "shutdown" then
        account = core.lose_child_events
    elseif is_orderly then
        account = nil
    end
    ends.shut_down(self, account)
end

M.callbacks = callbacks

--- The definition of one supervisor.
---@param settings table as template.settings made them
---@param stage_options table options of the stage itself
---@return stagehost.Definition
function M.definition(settings, stage_options)
    return stagehost.consumer(tables.copy(callbacks, stage_options, {
        settings = settings,
        is_supervisor = true,
        KEY = M.KEY,
    }))
end

return M
