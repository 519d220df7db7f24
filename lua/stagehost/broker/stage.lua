-- SPDX-License-Identifier: MIT

--- The stage of a broker: it keeps the members and subscribes them to one another.
---
--- It makes all subscriptions for its hub (or for itself, if it has none), and a consumer
--- has one subscription to a producer and partition, however many brokers want it: so a broker that was
--- restarted, or a second one, duplicates nothing.
local core = require "stagehost.core"
local guard = require "stagehost.messages.guard"
local hubs = require "stagehost.broker.hub"
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"
local subscriptions = require "stagehost.options.subscription"
local tables = require "stagehost.options.tables"

local M = {}

local callbacks = {}

-- Connections -----------------------------------------------------------------------------------

--- The options that the consumer gave, for one producer.
local function subscription_options(consumer, producer)
    return subscriptions.check(tables.copy({ to = producer, cancel = consumer.cancel }, consumer.opts))
end

local function connect(self, consumer, producer)
    if consumer.stage ~= producer then
        core.subscribe(consumer.stage, subscription_options(consumer, producer), false, self.via)
    end
end

-- Events of a broker with a dispatcher go from all producers to the hub, and on to the consumers.
local function connect_producer(self, member)
    if self.dispatcher_of_hub then
        local given = { to = member.stage, cancel = "temporary" }
        core.subscribe(self.hub, subscriptions.check(given), false, self.via)
        return
    end
    for _, consumer in ipairs(self.consumers) do
        connect(self, consumer, member.stage)
    end
end

local function connect_consumer(self, member)
    if self.dispatcher_of_hub then
        connect(self, member, self.hub)
        return
    end
    for _, producer in ipairs(self.producers) do
        connect(self, member, producer.stage)
    end
end

local function part_producer(self, stage)
    if self.dispatcher_of_hub then
        core.part(self.hub, stage, self.via)
        return
    end
    for _, consumer in ipairs(self.consumers) do
        core.part(consumer.stage, stage, self.via)
    end
end

local function part_consumer(self, stage)
    if self.dispatcher_of_hub then
        core.part(stage, self.hub, self.via)
        return
    end
    for _, producer in ipairs(self.producers) do
        core.part(stage, producer.stage, self.via)
    end
end

-- Members ---------------------------------------------------------------------------------------

--- Takes all entries of `stage` out of a list. Returns whether there was any.
local function remove(list, stage)
    local found = false
    for i = #list, 1, -1 do
        if list[i].stage == stage then
            core.demonitor(list[i].ref)
            table.remove(list, i)
            found = true
        end
    end
    return found
end

local function find(list, stage, partition)
    for _, member in ipairs(list) do
        if member.stage == stage and (not member.opts or member.opts.partition == partition) then
            return member
        end
    end
end

local function add(self, member)
    local entry = tables.copy(member, { ref = core.monitor(member.stage) })
    if member.kind == "producer" then
        connect_producer(self, entry)
        table.insert(self.producers, entry)
    else
        connect_consumer(self, entry)
        table.insert(self.consumers, entry)
    end
end

local function add_new(self, member)
    add(self, member)
    if self.hub then
        hubs.add(self.hub, member)
    end
end

local function add_producer(self, stage)
    if stage.kind ~= "producer" and stage.kind ~= "producer_consumer" then
        return "the stage does not produce", "not_a_producer"
    elseif self.dispatcher_of_hub and find(self.consumers, stage) then
        return "the stage is a consumer of this broker, whose events would come back to it", "is_a_consumer"
    elseif not find(self.producers, stage) then
        add_new(self, { stage = stage, kind = "producer" })
    end
end

--- Ends the subscriptions that the broker has made between `stage` and the others.
local function remove_member(self, stage)
    if remove(self.producers, stage) then
        part_producer(self, stage)
    end
    if remove(self.consumers, stage) then
        part_consumer(self, stage)
    end
    if self.hub then
        hubs.remove(self.hub, stage)
    end
end

--- Finds the hub, and the members that an earlier broker has left behind.
local function attach(self)
    local name, dispatcher = self.stage.name, self.dispatcher_of_hub
    self.producers, self.consumers = {}, {}
    if not name and not dispatcher then
        self.via = self.stage.id
        return {}
    end
    local hub, members = hubs.attach(self.stage, name, self.strategy, dispatcher)
    if not hub then
        return nil, members
    end
    self.hub, self.via, self.hub_ref = hub, hub.id, core.monitor(hub)
    return members
end

function callbacks:init()
    local members, problem = attach(self)
    if not members then
        return stagehost.stop(problem)
    end
    for _, member in ipairs(members) do
        add(self, member)
    end
end

-- Gives the members another hub after it has crashed, or was killed.
local function replace_hub(self)
    if stagehost.is_draining() then
        return
    end
    local lists = { self.producers, self.consumers }
    local found, problem = attach(self)
    if not found then
        return stagehost.stop(problem)
    end
    for _, list in ipairs(lists) do
        for _, old in ipairs(list) do
            core.demonitor(old.ref)
            local member = tables.copy(old)
            member.ref = nil
            add_new(self, member)
        end
    end
end

function callbacks:handle_down(stage)
    if stage == self.hub then
        return replace_hub(self)
    end
    remove(self.producers, stage)
    remove(self.consumers, stage)
end

-- Requests --------------------------------------------------------------------------------------

-- The broker has no events: only a consumer that asks before the redirection arrives gets here.
function callbacks.handle_demand() end

--- The consumer first gets its new subscriptions one by one, and then loses the one to the broker:
--- it is never without a producer that it could have.
function callbacks:handle_subscribe(_, opts, from)
    local stage, cancel = from.consumer, opts.cancel or "temporary"
    if self.dispatcher_of_hub and find(self.producers, stage) then
        stagehost.log("error", "%s is a producer of this broker, whose events would come back to it",
            tostring(stage))
    elseif not find(self.consumers, stage, opts.partition) then
        add_new(self, { stage = stage, kind = "consumer", opts = opts, cancel = cancel, from = from })
    end
    return core.redirect({}, cancel)
end

--- Handles stage:notify: notifies every consumer once.
function callbacks:handle_notification(message)
    local told = {}
    local function tell(f, ...)
        local ok, problem = pcall(f, ...)
        if not ok then
            stagehost.log("error", "a notification could not be passed on: %s", tostring(problem))
        end
    end
    if self.dispatcher_of_hub then
        tell(self.hub.notify, self.hub, message)
        return
    end
    for _, consumer in ipairs(self.consumers) do
        if not told[consumer.stage.id] then
            told[consumer.stage.id] = true
            tell(core.tell, consumer.from, message)
        end
    end
end

local function stages_of(list)
    local result = {}
    for i, entry in ipairs(list) do
        result[i] = entry.stage
    end
    return result
end

local answers = {}

function answers.add(self, request)
    local problem, reason = add_producer(self, request.stage)
    if problem then
        return requests.results(nil, problem, reason)
    end
    return requests.results(true)
end

function answers.remove(self, request)
    remove_member(self, request.stage)
    return requests.results(true)
end

function answers.members(self)
    return requests.results { producers = stages_of(self.producers), consumers = stages_of(self.consumers) }
end

function callbacks:handle_call(message)
    return requests.answer("broker", answers, self, message)
end

function callbacks.handle_info(_, message)
    guard.message("broker", message)
end

function callbacks.handle_cast(_, message)
    guard.message("broker", message)
end

M.callbacks = callbacks

return M
