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
local core = require "stagehost.core"
local checks = require "stagehost.options.checks"
local definition = require "stagehost.options.definition"
local errors = require "stagehost.options.errors"
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
    if stage.kind ~= "producer" and stage.kind ~= "producer_consumer" then
        return "it does not produce"
    end
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

function callbacks:handle_call(request)
    local what, stage = unpack(request)
    if what == "join" then
        return { join(self, stage) }
    elseif what == "leave" then
        return { leave(self, stage) }
    end
    return { producers = stages_of(self.producers), consumers = stages_of(self.consumers) }
end

function callbacks:handle_down(stage)
    remove(self.producers, stage)
    remove(self.consumers, stage)
end

-- Checked at its start.
local schema = { name = checks.anything, worker = checks.anything }

--- Defines a broker. `opts` are options of its start.
---@param opts? stagehost.StartOptions
---@return stagehost.Definition
function M.new(opts)
    local given = checks.apply(schema, opts or {}, "a broker")
    return definition.new("producer", tables.copy(callbacks, given))
end

--- Waits for the broker's answer.
local function request(broker, what, stage)
    local handle = type(broker) == "string" and core.whereis(broker) or broker
    if type(handle) == "string" then
        return nil, ("no stage has the name %q"):format(handle), "noproc"
    elseif not checks.is_stage(handle) then
        errors.raise("invalid_option", "%s_broker: expected the handle or name of a broker, got %s", what,
            checks.show(broker))
    end
    stage = stage or core.self()
    if what ~= "members" and not checks.is_stage(stage) then
        errors.raise("invalid_option", "%s_broker: expected a stage handle, got %s", what, checks.show(stage))
    end
    return handle:call({ what, stage }, math.huge)
end

local function answer(reply, message, reason)
    if not reply then
        return nil, message, reason
    elseif reply[1] then
        return nil, reply[1], "not_a_producer"
    end
    return true
end

function M.join(broker, producer)
    return answer(request(broker, "join", producer))
end

function M.leave(broker, stage)
    return answer(request(broker, "leave", stage))
end

function M.members(broker)
    return request(broker, "members")
end

return M
