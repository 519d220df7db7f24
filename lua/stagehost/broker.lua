-- SPDX-License-Identifier: MIT

--- Brokers: producers and consumers that find one another. A consumer subscribes to the broker as to a
--- producer and is redirected to all producers that have joined; a producer that joins later gets all
--- consumers that are there. Events never pass through the broker.
---
---     local broker = stagehost.start(stagehost.broker { name = "hub" })
---     stagehost.start(Worker, { subscribe_to = { { to = "hub", max_demand = 10 } } })
---     stagehost.join_broker("hub", stagehost.start(Source))
---
--- A producer's end, normal or not, does not end the consumers, unless they ask for another cancel mode
--- than "temporary"; who has ended is forgotten. When the broker ends, subscriptions stay as they are.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local definition = require "stagehost.options.definition"
local errors = require "stagehost.options.errors"
local guard = require "stagehost.messages.guard"
local requests = require "stagehost.messages.request"
local subscriptions = require "stagehost.options.subscription"
local tables = require "stagehost.options.tables"

local M = {}

--- Takes all entries of `stage` out of a list; whether there was any.
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

--- What the consumer gave, for one producer.
local function subscription_options(consumer, producer)
    return subscriptions.check(tables.copy({ to = producer, cancel = consumer.cancel }, consumer.opts))
end

local function join(self, stage)
    for _, producer in ipairs(self.producers) do
        if producer.stage == stage then
            return
        end
    end
    table.insert(self.producers, { stage = stage, ref = core.monitor(stage) })
    for _, consumer in ipairs(self.consumers) do
        if consumer.stage ~= stage then
            core.subscribe(consumer.stage, subscription_options(consumer, stage), false)
        end
    end
end

--- Ends what the broker has made between `stage` and the others.
local function leave(self, stage)
    if remove(self.producers, stage) then
        for _, consumer in ipairs(self.consumers) do
            core.part(consumer.stage, stage)
        end
    end
    if remove(self.consumers, stage) then
        for _, producer in ipairs(self.producers) do
            core.part(stage, producer.stage)
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

local callbacks = {}

function callbacks:init()
    self.producers, self.consumers = {}, {}
end

-- It has no events: only who asks before the redirection arrives gets here.
function callbacks.handle_demand() end

function callbacks:handle_subscribe(_, opts, from)
    local cancel, others = opts.cancel or "temporary", {}
    table.insert(self.consumers, {
        stage = from.consumer,
        opts = opts,
        cancel = cancel,
        ref = core.monitor(from.consumer),
    })
    for _, producer in ipairs(self.producers) do
        if producer.stage ~= from.consumer then
            table.insert(others, producer.stage)
        end
    end
    return core.redirect(others, cancel)
end

local answers = {}

function answers.join(self, request)
    local stage = request.stage
    if stage.kind ~= "producer" and stage.kind ~= "producer_consumer" then
        return requests.results(nil, "it does not produce", "not_a_producer")
    end
    join(self, stage)
    return requests.results(true)
end

function answers.leave(self, request)
    leave(self, request.stage)
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

function callbacks:handle_down(stage)
    remove(self.producers, stage)
    remove(self.consumers, stage)
end

-- Checked at its start.
local schema = { name = checks.anything, worker = checks.anything }

--- Defines a broker: a stage that consumers subscribe to as to a producer, and that subscribes each of
--- them directly to every producer that joins, now or later. Events never pass through it. What is
--- subscribed so is "temporary" unless the consumer gives a cancel mode, and has the consumer's options.
---@param opts? { name?: string, worker?: integer | "any" } of its start
---@return stagehost.Definition
function M.new(opts)
    local given = checks.apply(schema, opts or {}, "a broker")
    return definition.new("producer", tables.copy(callbacks, given))
end

local function ask_about(broker, what, stage)
    stage = stage or core.self()
    if not checks.is_stage(stage) then
        errors.raise("invalid_argument", "broker.%s: expected a stage handle, got %s", what, checks.show(stage))
    end
    return requests.ask(broker, "broker", what, { stage = stage })
end

--- stagehost.join_broker: adds a producer. All consumers that are there get subscribed to it. Waits.
---@param broker stagehost.Stage | string
---@param producer? stagehost.Stage default: the current stage
---@return true?
---@return string? message
---@return any reason "noproc", "not_a_broker", "not_a_producer"
function M.join(broker, producer)
    return ask_about(broker, "join", producer)
end

--- stagehost.leave_broker: takes a producer or a consumer away. What the broker has subscribed it to, or to
--- it, is unsubscribed. A stage that ends leaves by itself. Waits.
---@param broker stagehost.Stage | string
---@param stage? stagehost.Stage default: the current stage
---@return true?
---@return string? message
---@return any reason
function M.leave(broker, stage)
    return ask_about(broker, "leave", stage)
end

--- stagehost.broker_members: the stages that are there. Waits.
---@param broker stagehost.Stage | string
---@return { producers: stagehost.Stage[], consumers: stagehost.Stage[] }?
---@return string? message
---@return any reason
function M.members(broker)
    return requests.ask(broker, "broker", "members")
end

return M
