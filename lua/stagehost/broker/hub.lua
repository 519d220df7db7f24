-- SPDX-License-Identifier: MIT

--- The hub of a broker is a stage beside it. The hub remembers the members, so that a broker that was
--- restarted finds them again. The events of a broker with a dispatcher pass through the hub; for any
--- other broker they don't, and the hub is a process.
---
--- The hub lives as long as the broker or one of the members does.
local core = require "stagehost.core"
local notes = require "stagehost.messages.note"
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local KIND = "broker_hub"

---@class stagehost.Broker.Member
---@field stage stagehost.Stage
---@field kind "producer" | "consumer"
---@field from? stagehost.Subscription of a consumer: its subscription to the broker, which has ended
---@field opts? table of a consumer: the options it subscribed with
---@field cancel? string of a consumer

local callbacks = {}

local function watch(self, broker)
    if self.broker_ref then
        core.demonitor(self.broker_ref)
    end
    self.broker, self.broker_ref = broker, core.monitor(broker)
end

function callbacks.init(self, broker)
    self.members, self.refs = {}, {}
    watch(self, broker)
end

local function remove(self, stage)
    for i = #self.members, 1, -1 do
        if self.members[i].stage == stage then
            core.demonitor(self.refs[i])
            table.remove(self.members, i)
            table.remove(self.refs, i)
        end
    end
end

local function end_alone(self)
    return not self.broker and #self.members == 0 and stagehost.stop() or nil
end

local answers = {}

--- Attaches the hub to a new broker with its name.
function answers.attach(self, request)
    if request.strategy ~= self.strategy then
        return requests.results(nil, ("the hub belongs to an earlier broker with strategy %q"):format(self.strategy),
            "other_strategy")
    end
    watch(self, request.broker)
    return requests.results(self.members)
end

function callbacks.handle_call(self, message)
    return requests.answer(KIND, answers, self, message)
end

local takers = {}

function takers.add(self, note)
    table.insert(self.members, note.member)
    table.insert(self.refs, core.monitor(note.member.stage))
end

function takers.remove(self, note)
    remove(self, note.stage)
    return end_alone(self)
end

function callbacks.handle_cast(self, message)
    return notes.take(KIND, takers, self, message)
end

function callbacks.handle_down(self, stage)
    if self.broker == stage then
        self.broker, self.broker_ref = nil, nil
    end
    remove(self, stage)
    return end_alone(self)
end

M.callbacks = callbacks

local function pass(_, events)
    return events
end

local function definition(strategy, dispatcher)
    local def = tables.copy(callbacks, { strategy = strategy, dispatcher = dispatcher })
    if not dispatcher then
        return stagehost.process(def)
    end
    def.handle_events = pass
    return stagehost.producer_consumer(def)
end

--- Finds the hub of a broker by the broker's name, or starts one. Waits.
---@param broker stagehost.Stage
---@param name? string of the broker
---@param strategy string a word for the dispatcher; "direct" if there is none
---@param dispatcher any
---@return stagehost.Stage? hub
---@return stagehost.Broker.Member[] | string members, or why there is no hub
function M.attach(broker, name, strategy, dispatcher)
    local hub_name = name and name .. ".hub"
    while true do
        local hub = hub_name and core.whereis(hub_name)
        if hub then
            local members, message, reason = requests.ask(hub, KIND, "attach", { broker = broker, strategy = strategy })
            if members then
                return hub, members
            elseif reason ~= "noproc" then
                return nil, ("the name %q is taken: %s"):format(hub_name, message)
            end
        end
        local started, message, reason = stagehost.start(definition(strategy, dispatcher), {
            name = hub_name,
            args = broker,
        })
        if started then
            return started, {}
        elseif reason ~= "already_started" then
            return nil, message
        end
    end
end

---@param hub stagehost.Stage
---@param member stagehost.Broker.Member
function M.add(hub, member)
    hub:cast(notes.new("add", { member = member }))
end

---@param hub stagehost.Stage
---@param stage stagehost.Stage
function M.remove(hub, stage)
    hub:cast(notes.new("remove", { stage = stage }))
end

return M
