-- SPDX-License-Identifier: MIT

--- A pipeline at run time: its units (the instances of its stages, children of its process) and the
--- edges between them. Every subscription is "temporary", so that a consumer outlives the crash of
--- its producer; ends.lua ends it when its producers have ended normally.
local children = require "stagehost.supervisor.children"
local core = require "stagehost.core"
local letters = require "stagehost.pipeline.letters"
local links = require "stagehost.pipeline.links"
local notices = require "stagehost.pipeline.notices"
local placement = require "stagehost.pipeline.placement"
local plans = require "stagehost.pipeline.plan"
local tables = require "stagehost.options.tables"

local M = {}

---@class stagehost.Unit : stagehost.Child
---@field plan stagehost.PlannedStage
---@field index integer the number of the instance
---@field inputs stagehost.Edge[]
---@field outputs stagehost.Edge[]
---@field is_finished boolean it has ended gracefully, or will never run again
---@field is_ending boolean it has been told to end
---@field place? integer the worker that was chosen for it
---@field has_failed? boolean it ended with a crash
---@field workers table<integer, true> where it has run
---@field letters? stagehost.Unit the unit that gets its dead letters
---@field writers? stagehost.Unit[] units whose dead letters come here
---@field is_gated boolean a source that waits until all of its consumers have subscribed

---@class stagehost.Edge
---@field producer stagehost.Unit
---@field consumer stagehost.Unit
---@field options table of the subscription
---@field is_feedback boolean closes a cycle
---@field open_to? stagehost.Stage the producer whose end the present consumer has not seen yet
---@field has_joined boolean the present producer knows the consumer

---@class stagehost.Net
---@field units stagehost.Unit[] producers first
---@field by_name table<string, stagehost.Unit>
---@field feedback stagehost.Edge[]

local function make_unit(net, plan, stage, index, def)
    local name = plans.instance_name(stage, index)
    local unit = children.child { id = name, start = def, restart = "transient", shutdown = stage.shutdown }
    unit.plan, unit.inputs, unit.outputs, unit.workers = stage, {}, {}, {}
    unit.index = index
    unit.is_finished, unit.is_ending, unit.is_gated = false, false, false
    unit.full_name = plan.name and plan.name .. "." .. name or name
    net.units[#net.units + 1], net.by_name[name] = unit, unit
    return unit
end

local function edge_options(producer, link, index)
    return tables.copy(link.options, {
        cancel = "temporary",
        partition = links.partition(producer, link, index),
    })
end

local function add_edge(net, link, producer, consumer, index)
    local edge = {
        producer = producer,
        consumer = consumer,
        options = edge_options(producer.plan, link, index),
        is_feedback = link.reason ~= nil,
        has_joined = false,
    }
    table.insert(producer.outputs, edge)
    table.insert(consumer.inputs, edge)
    if edge.is_feedback then
        table.insert(net.feedback, edge)
    end
end

local function connect(net, stage, link, units_of)
    for part, producer in ipairs(units_of[link.to]) do
        for index, consumer in ipairs(units_of[stage.name]) do
            if not link.is_by_part or part == index then
                add_edge(net, link, producer, consumer, index)
            end
        end
    end
end

--- Returns the definitions of the instances of a stage. Waits.
local function definitions(stage, pipeline)
    local split, list = stage.definition.split_input, {}
    local dealt = split and split.deal and split.deal(stage.definition, stage.parts)
    local whole = not dealt and notices.wrap(stage.definition, pipeline)
    for i = 1, stage.instances or 1 do
        list[i] = whole or notices.wrap(dealt[i], pipeline)
    end
    return list
end

--- Makes the units of a plan. Waits.
---@param plan stagehost.Plan
---@param pipeline stagehost.Stage
---@return stagehost.Net
function M.new(plan, pipeline)
    local net, units_of = { units = {}, by_name = {}, feedback = {} }, {}
    local places = placement.choose(plan.stages, core.workers(), core.worker())
    for _, stage in ipairs(plan.stages) do
        units_of[stage.name] = {}
        for i, def in ipairs(definitions(stage, pipeline)) do
            local unit = make_unit(net, plan, stage, i, def)
            unit.place = places[stage.name] and places[stage.name][i]
            units_of[stage.name][i] = unit
        end
    end
    for _, stage in ipairs(plan.stages) do
        for _, link in ipairs(stage.links) do
            connect(net, stage, link, units_of)
        end
    end
    letters.connect(net)
    return net
end

-- Starting --------------------------------------------------------------------------------------

local function with_producer(edge)
    return tables.copy({ to = edge.producer.stage }, edge.options)
end

local function wants_accumulate(unit)
    return (unit.plan.options.demand or unit.plan.definition.demand) == "accumulate"
end

local function start_options(net, unit)
    local options = tables.copy(unit.plan.options)
    local own_letters = type(options.dead_letter) == "string" and net.by_name[options.dead_letter]
    options.dead_letter = own_letters and own_letters.full_name or options.dead_letter
    options.name = unit.full_name
    options.worker = unit.place or options.worker
    if #unit.outputs > 0 then
        options.await_consumers = true
    end
    unit.is_gated = unit.plan.kind == "producer" and #unit.outputs > 0 and not wants_accumulate(unit)
    if unit.is_gated then
        options.demand = "accumulate"
    end
    for _, edge in ipairs(unit.inputs) do
        if not edge.is_feedback and edge.producer.stage then
            options.subscribe_to = options.subscribe_to or {}
            table.insert(options.subscribe_to, with_producer(edge))
        end
    end
    return options
end

--- Starts a unit, subscribed to its running producers.
---@param net stagehost.Net
---@param all stagehost.Children
---@param unit stagehost.Unit
---@return boolean? ok
---@return string? message
---@return stagehost.Reason reason
function M.start(net, all, unit)
    unit.spec.options = start_options(net, unit)
    unit.is_ending = false
    local ok, message, reason = children.start(all, unit)
    for _, edge in ipairs(unit.inputs) do
        edge.open_to = unit.stage and not edge.is_feedback and edge.producer.stage or nil
    end
    if unit.stage then
        unit.start_time = os.time()
        unit.workers[unit.stage.worker] = true
    elseif ok then
        unit.is_finished = true -- init returned stagehost.ignore
    end
    return ok, message, reason
end

local function subscribe(edge)
    if edge.consumer.stage and edge.producer.stage and not edge.consumer.is_ending then
        edge.open_to = edge.producer.stage
        edge.consumer.stage:async_subscribe(with_producer(edge))
    end
end

--- Makes the subscriptions that close cycles.
---@param edges stagehost.Edge[]
function M.close_cycles(edges)
    for _, edge in ipairs(edges) do
        if edge.is_feedback then
            subscribe(edge)
        end
    end
end

--- Subscribes the consumers of a unit that has been restarted.
---@param unit stagehost.Unit
function M.resubscribe(unit)
    for _, edge in ipairs(unit.outputs) do
        subscribe(edge)
    end
    M.close_cycles(unit.inputs)
end

-- Events in the life of the net -------------------------------------------------------------------

--- Opens a source if all of its running consumers have subscribed.
---@param unit stagehost.Unit
function M.open_gate(unit)
    if not unit.is_gated or not unit.stage then
        return
    end
    for _, edge in ipairs(unit.outputs) do
        if edge.consumer.stage and not edge.consumer.is_ending and not edge.has_joined then
            return
        end
    end
    unit.is_gated = false
    unit.stage:demand("forward")
end

--- Notes that a unit has ended.
---@param unit stagehost.Unit
function M.disconnect(unit)
    unit.is_ending = false
    for _, edge in ipairs(unit.outputs) do
        edge.has_joined = false
    end
    for _, edge in ipairs(unit.inputs) do
        edge.open_to, edge.has_joined = nil, false
    end
    for _, edge in ipairs(unit.inputs) do
        M.open_gate(edge.producer)
    end
end

--- Handles the notice of a producer that a consumer has subscribed.
---@param all stagehost.Children
---@param producer stagehost.Stage
---@param consumer stagehost.Stage
function M.joined(all, producer, consumer)
    local unit, other = all.by_stage[producer], all.by_stage[consumer]
    for _, edge in ipairs(unit and unit.outputs or {}) do
        if edge.consumer == other then
            edge.has_joined = true
            M.open_gate(unit)
        end
    end
end

--- Handles the notice of a consumer that a subscription has ended. Returns its unit if that was not known.
---@param all stagehost.Children
---@param producer stagehost.Stage?
---@param consumer stagehost.Stage
---@return stagehost.Unit?
function M.left(all, producer, consumer)
    local unit = all.by_stage[consumer]
    for _, edge in ipairs(unit and producer and unit.inputs or {}) do
        if edge.open_to == producer then
            edge.open_to = nil
            return unit
        end
    end
end

return M
