-- SPDX-License-Identifier: MIT

--- A source that splits its input has an instance for each part. A stage behind it with the same number of instances
--- has one beside each of them: instance i subscribes to instance i only, and runs on its worker. What its
--- instances emit is split in the same way, so the stages behind it may be beside it in turn. Partitions, a broadcast,
--- a dispatcher of the script, and another number of instances end that: there every instance subscribes to all
--- those of its producer. Pure.
local M = {}

local may_pair = { demand = true, fair = true }

local function number_of_parts(stage, by_name)
    for _, link in ipairs(stage.links) do
        local producer = by_name[link.to]
        local n = not link.reason and producer and (producer.parts or producer.spread)
        if n then
            return n
        end
    end
end

local function pair_links(stage, by_name)
    for _, link in ipairs(stage.links) do
        local producer = by_name[link.to]
        if not link.reason and producer and producer.parts and producer.parts == stage.instances
            and may_pair[producer.dispatcher] and link.options.partition == nil then
            link.is_by_part = true
            stage.parts = stage.instances
            if stage.options.worker == "any" then
                stage.beside = stage.beside or link.to
            end
        end
    end
end

local function visit(problems, stage, by_name, seen)
    if seen[stage] then
        return
    end
    seen[stage] = true
    for _, link in ipairs(stage.links) do
        if by_name[link.to] then
            visit(problems, by_name[link.to], by_name, seen)
        end
    end
    if stage.ordered and number_of_parts(stage, by_name) then
        problems:add('%s: option "ordered" can\'t work behind parts: their events have no common order', stage.where)
    end
    if stage.instances == "parts" then
        stage.instances = number_of_parts(stage, by_name)
        if not stage.instances then
            problems:add('%s: instances = "parts" needs a producer with parts, such as source.lines { path = "x", '
                .. 'parts = "auto" }', stage.where)
        end
    end
    if stage.instances then
        pair_links(stage, by_name)
    end
end

--- Sets the number of instances of stages that have as many as there are parts, and pairs them with their producers.
---@param problems stagehost.Problems
---@param stages stagehost.PlannedStage[]
---@param by_name table<string, stagehost.PlannedStage | false>
function M.pair(problems, stages, by_name)
    local seen = {}
    for _, stage in ipairs(stages) do
        visit(problems, stage, by_name, seen)
    end
end

return M
