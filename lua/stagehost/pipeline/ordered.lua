-- SPDX-License-Identifier: MIT

--- `ordered = true` on an entry with instances: the results come in the order of the input. The stage becomes three:
---
---     x.deal    gets the events of the producers, cuts them into blocks, numbers these, and deals them to the
---               instances in turn
---     x         its instances, each wrapped so that the results of a block are a block with the same number
---     x.order   puts the blocks in order, and emits their events; the consumers of x subscribe to it
---
--- Subscriptions have a max_demand of WINDOW blocks, so that no more wait for a slow block: that is the window within
--- which events are put in order.
local lanes = require "stagehost.streams.lanes"
local tables = require "stagehost.options.tables"

local M = {}

-- Of the subscriptions to x.deal and to each instance, in blocks.
local WINDOW = 8

-- Options of the entry that concern what it emits: x.order has them.
local OF_OUTPUT = { "dispatcher", "buffer_size", "buffer_keep", "discard_buffer_when_no_consumers", "rate" }

-- The callbacks whose events have no place in the order of the input.
local WITHOUT_PLACE = { "handle_demand", "handle_end" }

local function find_link_problem(link, producer)
    if link.reason then
        return "can't work in a cycle"
    elseif link.options.ack then
        return 'can\'t work with the option "ack" of a subscription: events are numbered before they are handled'
    elseif producer and producer.partitions and link.options.partition == nil then
        return ('can\'t work where each instance takes a partition of "%s": give the subscription a partition, or '
            .. "leave the dispatcher out"):format(link.to)
    end
end

local function find_problem(stage, by_name)
    if not stage.instances then
        return 'is for stages with "instances"'
    elseif stage.kind ~= "producer_consumer" then
        return ("is for a producer_consumer, and this is a %s"):format(stage.kind)
    elseif stage.options.dead_letter or stage.definition.dead_letter then
        return 'can\'t work with the option "dead_letter": an instance handles blocks of numbered events'
    end
    for _, name in ipairs(WITHOUT_PLACE) do
        if stage.definition[name] then
            return ("can't work with the callback %s: its events have no place in the order of the input"):format(name)
        end
    end
    for _, suffix in ipairs { ".deal", ".order" } do
        if by_name[stage.name .. suffix] ~= nil then
            return ("makes a stage %q, and there is one already"):format(stage.name .. suffix)
        end
    end
    for _, link in ipairs(stage.links) do
        local problem = find_link_problem(link, by_name[link.to])
        if problem then
            return problem
        end
    end
end

--- Whether events come in batches, which stay together.
local function has_batches(stage)
    for _, link in ipairs(stage.links) do
        if link.options.batch then
            return true
        end
    end
    return false
end

--- Makes a planned stage that the pipeline adds.
local function helper(stage, suffix, definition)
    local name = stage.name .. suffix
    return {
        name = name,
        where = ("stage %q"):format(name),
        definition = definition,
        kind = definition.kind,
        options = {},
        on_error = stage.on_error,
        shutdown = stage.shutdown,
        links = {},
    }
end

--- A subscription in blocks. An entry with a max_demand of its own wants few events at a time, and gets one block at
--- a time; else blocks travel together.
local function link(to, is_fine)
    return { to = to, options = { max_demand = WINDOW, min_demand = is_fine and WINDOW - 1 or WINDOW / 2 } }
end

--- Gives the dealer the max_demand and min_demand that the entry has for events. Returns whether there is one.
local function move_demand(stage, deal)
    local is_given = false
    for _, one in ipairs(deal.links) do
        one.options.max_demand = one.options.max_demand or stage.options.max_demand or stage.definition.max_demand
        one.options.min_demand = one.options.min_demand or stage.options.min_demand or stage.definition.min_demand
        is_given = is_given or one.options.max_demand ~= nil
    end
    stage.options.max_demand, stage.options.min_demand = nil, nil
    return is_given
end

--- Moves options about the output to the stage that has it now.
local function move_output(stage, order)
    local without = tables.copy(stage.definition)
    for _, name in ipairs(OF_OUTPUT) do
        order.options[name] = stage.options[name]
        if order.options[name] == nil then
            order.options[name] = stage.definition[name]
        end
        stage.options[name], without[name] = nil, nil
    end
    order.partitions, order.has_groups = stage.partitions, stage.has_groups
    stage.partitions, stage.has_groups = nil, nil
    stage.definition = setmetatable(without, getmetatable(stage.definition))
end

local function expand(plan, by_name, stage)
    local deal = helper(stage, ".deal", lanes.dealer(stage.instances, has_batches(stage)))
    local order = helper(stage, ".order", lanes.orderer(stage.instances))
    for _, added in ipairs { deal, order } do
        table.insert(plan.stages, added)
        by_name[added.name] = added
    end
    for _, other in ipairs(plan.stages) do
        for _, one in ipairs(other.links) do
            one.to = one.to == stage.name and order.name or one.to
        end
    end
    deal.links = stage.links
    local is_fine = move_demand(stage, deal)
    stage.links, order.links = { link(deal.name, is_fine) }, { link(stage.name, is_fine) }
    deal.partitions = lanes.partitions(stage.instances)
    move_output(stage, order)
    stage.definition = lanes.wrap(stage.definition, stage.name)
end

--- Expands the stages with `ordered`. Adds what is wrong with them.
---@param problems stagehost.Problems
---@param plan stagehost.Plan
---@param by_name table<string, stagehost.PlannedStage | false>
function M.expand(problems, plan, by_name)
    for _, stage in ipairs(tables.copy(plan.stages)) do
        local problem = stage.ordered and find_problem(stage, by_name)
        if problem then
            problems:add('%s: option "ordered" %s', stage.where, problem)
        elseif stage.ordered then
            expand(plan, by_name, stage)
        end
    end
end

return M
