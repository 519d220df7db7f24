-- SPDX-License-Identifier: MIT

--- Brokers: producers and consumers that find one another. A consumer subscribes to the broker as to a
--- producer and is redirected to all producers that were added; one that is added later gets all
--- present consumers. Events do not pass through the broker.
---
---     local broker = stagehost.start(stagehost.broker { name = "hub" })
---     stagehost.start(Worker, { subscribe_to = { { to = "hub", max_demand = 10 } } })
---     stagehost.broker_add("hub", stagehost.start(Source))
---
--- A `dispatcher` spreads the events of all producers over all consumers: the events meet in a
--- stage beside the broker, its hub.
---
--- A producer's end, normal or not, does not end the consumers, unless they ask for another cancel mode
--- than "temporary"; stages that have ended are forgotten. When the broker ends, subscriptions stay as they are; a
--- new broker with the same name finds the members again, as long as these live.
local broker = require "stagehost.broker.stage"
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local definition = require "stagehost.options.definition"
local dispatchers = require "stagehost.options.dispatchers"
local errors = require "stagehost.options.errors"
local requests = require "stagehost.messages.request"
local tables = require "stagehost.options.tables"

local M = {}

local schema = { name = checks.anything, worker = checks.anything, dispatcher = checks.anything }

--- Defines a broker: a stage that consumers subscribe to as to a producer, and that subscribes each of
--- them directly to every producer that is added, now or later. Events never pass through it. These
--- subscriptions are "temporary" unless the consumer gives a cancel mode, and have the consumer's options.
--- With a `dispatcher`, like that of a producer, the events of all producers meet in a stage beside the broker,
--- and the dispatcher spreads them over all consumers.
---
--- A broker that is restarted under its name finds its members again. `broker:notify(message)` notifies all
--- consumers, whatever their producers; `from` of handle_notification is the subscription to the broker.
---@param opts? { name?: string, worker?: integer | "any", dispatcher?: any } of its start, and the dispatcher
---@return stagehost.Definition
function M.new(opts)
    local given = checks.apply(schema, opts or {}, "a broker")
    local def = tables.copy(broker.callbacks, { name = given.name, worker = given.worker, strategy = "direct" })
    if given.dispatcher ~= nil then
        def.strategy = dispatchers.check(given.dispatcher).kind
        def.dispatcher_of_hub = given.dispatcher
    end
    return definition.new("producer", def)
end

local function ask_about(to, what, stage)
    stage = stage or core.self()
    if not checks.is_stage(stage) then
        errors.raise("invalid_argument", "broker.%s: expected a stage handle, got %s", what, checks.show(stage))
    end
    return requests.ask(to, "broker", what, { stage = stage })
end

--- stagehost.broker_add: adds a producer. All present consumers get subscribed to it. Waits.
---@param to stagehost.Stage | string the broker
---@param producer? stagehost.Stage default: the current stage
---@return true?
---@return string? message
---@return any reason "noproc", "not_a_broker", "not_a_producer", "is_a_consumer"
function M.add(to, producer)
    return ask_about(to, "add", producer)
end

--- stagehost.broker_remove: removes a producer or a consumer. Subscriptions that the broker made from or to
--- it are ended. A stage that ends is removed automatically. Waits.
---@param to stagehost.Stage | string the broker
---@param stage? stagehost.Stage default: the current stage
---@return true?
---@return string? message
---@return any reason
function M.remove(to, stage)
    return ask_about(to, "remove", stage)
end

--- stagehost.broker_members: returns the present producers and consumers. Waits.
---@param to stagehost.Stage | string the broker
---@return { producers: stagehost.Stage[], consumers: stagehost.Stage[] }?
---@return string? message
---@return any reason
function M.members(to)
    return requests.ask(to, "broker", "members")
end

return M
