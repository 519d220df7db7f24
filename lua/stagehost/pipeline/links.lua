-- SPDX-License-Identifier: MIT

--- The subscriptions of a pipeline: reads `subscribe_to`, and finds what is wrong with it.
local checks = require "stagehost.options.checks"
local subscriptions = require "stagehost.options.subscription"
local tables = require "stagehost.options.tables"

local M = {}

---@class stagehost.PlannedLink
---@field to string name of the producer
---@field reason? string why it may close a cycle
---@field options table of the subscription
---@field is_by_part? boolean each instance of the consumer subscribes to that of the producer with the same number

local produces = { producer = true, producer_consumer = true }
local consumes = { consumer = true, producer_consumer = true }

local function read_options(problems, stage, link)
    local where = ('%s, subscription to "%s"'):format(stage.where, link.to)
    if link.reason ~= nil and type(link.reason) ~= "string" then
        problems:add("%s: the reason of a cycle must be a text, got %s", where, checks.show(link.reason))
    end
    for _, key in ipairs { "cancel", "current" } do
        if link.options[key] ~= nil then
            problems:add('%s: no option "%s" in a pipeline: a consumer outlives the crash of its producer, '
                .. "and ends when its producers have ended gracefully", where, key)
            link.options[key] = nil
        end
    end
    problems:try(where, subscriptions.check, tables.copy(link.options, { to = link.to }))
end

local function read_entry(problems, stage, by_name, entry)
    local to = entry.to
    local producer = type(to) == "string" and by_name[to]
    if type(to) ~= "string" then
        problems:add("%s subscribes to %s: expected the name of a stage of the pipeline", stage.where,
            checks.show(to))
    elseif producer == nil then
        problems:add("%s subscribes to %s: the pipeline has no such stage (it has %s)", stage.where,
            checks.show(to), checks.list_keys(by_name))
    elseif producer and not produces[producer.kind] then
        problems:add("%s subscribes to %s, which is a %s: it emits no events", stage.where,
            checks.show(to), producer.kind)
    elseif producer == stage then
        problems:add("%s subscribes to itself", stage.where)
    else
        local link = { to = to, reason = entry.reason, options = tables.copy(entry) }
        link.options.to, link.options.reason = nil, nil
        read_options(problems, stage, link)
        if producer then -- else its own entry is wrong
            table.insert(stage.links, link)
        end
    end
end

--- Reads the subscriptions of one stage.
---@param problems stagehost.Problems
---@param stage stagehost.PlannedStage
---@param by_name table<string, stagehost.PlannedStage | false> false: the entry of the stage is wrong
---@param given any
function M.read(problems, stage, by_name, given)
    if given == nil then
        if stage.kind == "consumer" then
            problems:add('%s is a consumer without producers: it needs "subscribe_to"', stage.where)
        end
        return
    elseif not consumes[stage.kind] then
        problems:add("%s is a %s: it can't subscribe to others", stage.where, stage.kind)
        return
    end
    local list, problem = subscriptions.entries(given)
    if problem then
        problems:add('%s: option "subscribe_to" %s, got %s', stage.where, problem, checks.show(given))
        return
    end
    for _, entry in ipairs(list) do
        read_entry(problems, stage, by_name, entry)
    end
end

--- The partition that an instance takes: the one it is given, or the one with its number.
---@param producer stagehost.PlannedStage
---@param link stagehost.PlannedLink
---@param index integer
---@return any
function M.partition(producer, link, index)
    if link.options.partition ~= nil then
        return link.options.partition
    end
    return producer.partitions and producer.partitions[index]
end

return M
