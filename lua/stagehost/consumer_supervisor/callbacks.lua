-- SPDX-License-Identifier: MIT

--- The stage of a consumer_supervisor.
---
--- It is a consumer with manual subscriptions that traps exits. While it waits for the init of a
--- child, exits and events gather in its mailbox: only the callback that runs changes its state.
local answers = require "stagehost.consumer_supervisor.answers"
local child_demand = require "stagehost.consumer_supervisor.child_demand"
local children = require "stagehost.consumer_supervisor.children"
local core = require "stagehost.core"
local ends = require "stagehost.consumer_supervisor.ends"
local guard = require "stagehost.messages.guard"
local intensity = require "stagehost.supervisor.intensity"
local notes = require "stagehost.messages.note"
local producers = require "stagehost.consumer_supervisor.producers"
local reasons = require "stagehost.messages.reason"
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"
local template = require "stagehost.consumer_supervisor.template"

local M = {}

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

--- Producers that are subscribed to together share the limit, if there is one: the stage decides what to ask of
--- each when all are known. A shard asks for nothing before it is told that all shards are subscribed.
function callbacks.handle_subscribe(self, _, opts, from)
    producers.open(self, opts, from, self.settings.is_shard or false)
    if self.settings.max_children then
        self.stage:send(notes.new "ask")
    else
        producers.ask(self)
    end
    return "manual"
end

-- Ends a shard that is to be started again when it has taken all events that its producers had sent; functions
-- then finish.
local function retire_when_left(self)
    if next(self.subscriptions) == nil then
        self.has_source_ended = self.settings.at_end == "finish"
        return stagehost.stop("shutdown")
    end
end

function callbacks.handle_cancel(self, reason, from)
    producers.close(self, from)
    self.has_source_ended = reasons.is_normal(reason)
    if self.is_retiring then
        return retire_when_left(self)
    end
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

--- Any exit that is not of a child comes from a linked stage or was sent to this one: the stage ends with it.
function callbacks.handle_exit(self, stage, reason)
    self.has_source_ended = false
    local child = stage and self.children:find(stage)
    if child then
        return ends.ended(self, child, reason)
    elseif not reasons.is_normal(reason) then
        return stagehost.stop(reason)
    end
end

local takers = {}

function takers.ask(self)
    producers.ask(self)
end

function takers.release(self, note)
    self.demand:release(note.subscription)
    producers.ask(self)
end

function takers.retry(self, note)
    local child = self.children:find(note.child)
    if child and child.is_restarting then
        return ends.revive(self, child)
    end
end

function takers.retire(self)
    self.is_retiring = true
    for _, subscription in pairs(self.subscriptions) do
        stagehost.unsubscribe(subscription)
    end
    return retire_when_left(self)
end

--- Kills a child that has taken too long to end.
function takers.kill(self, note)
    local child = self.children:find(note.child)
    if child then
        child.stage:kill()
    end
end

function callbacks.handle_info(self, message)
    return notes.take("consumer_supervisor", takers, self, message)
end

function callbacks.handle_cast(_, message)
    guard.message("consumer_supervisor", message)
end

function callbacks.handle_call(self, message, from)
    self.has_source_ended = false
    return requests.answer("consumer_supervisor", answers, self, message, from)
end

--- After a graceful end of the source, or of the host, children may finish their work, if the settings
--- say so. Otherwise they are told to end, and their events count as unfinished, unless the settings want that;
--- after a stop by hand their events count as those of any stage that chose to stop.
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
    }))
end

return M
