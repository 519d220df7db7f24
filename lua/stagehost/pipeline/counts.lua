-- SPDX-License-Identifier: MIT

--- The counters of the stages of a pipeline, on any worker.
local courier = require "stagehost.supervisor.courier"

local M = {}

--- Returns the counters of stages, by stage; those of a worker that can't be asked are missing.
---@param stages stagehost.Stage[]
---@return table<stagehost.Stage, table>
function M.stats(stages)
    local by_worker, result = {}, {}
    for _, stage in ipairs(stages) do
        local list = by_worker[stage.worker] or {}
        by_worker[stage.worker] = list
        list[#list + 1] = stage
    end
    for worker, list in pairs(by_worker) do
        local stats = courier.stats(list, worker) or {}
        for i, stage in ipairs(list) do
            result[stage] = stats[i] or nil
        end
    end
    return result
end

---@class stagehost.CrossingStatus
---@field producer string the names of stages, as in the list of stages
---@field consumer string
---@field events integer those that have crossed between workers
---@field bytes integer that carried them
---@field encode_ns number the time that encoding them took, on the worker of the producer
---@field decode_ns number the time that decoding them took, on the worker of the consumer

--- Returns what has crossed between workers, by subscription. Both sides of one count; the side that has seen more
--- counts for events and bytes that are under way.
---@param stages stagehost.StageStatus[] with `stats`
---@return stagehost.CrossingStatus[]
function M.crossings(stages)
    local names, list, by_pair = {}, {}, {}
    for _, one in ipairs(stages) do
        if one.stage then
            names[one.stage.name] = one.name
        end
    end
    for _, one in ipairs(stages) do
        for _, side in ipairs(one.stats and one.stats.crossings or {}) do
            local pair = side.producer .. "\n" .. side.consumer
            local entry = by_pair[pair]
            if not entry then
                entry = { producer = names[side.producer] or side.producer,
                    consumer = names[side.consumer] or side.consumer,
                    events = 0, bytes = 0, encode_ns = 0, decode_ns = 0 }
                by_pair[pair], list[#list + 1] = entry, entry
            end
            entry.events = math.max(entry.events, side.events)
            entry.bytes = math.max(entry.bytes, side.bytes)
            entry.encode_ns = side.encode_ns or entry.encode_ns
            entry.decode_ns = side.decode_ns or entry.decode_ns
        end
    end
    return list
end

--- Kills stages, and returns how many events each of them had not finished.
---@param by_name table<string, stagehost.Stage>
---@return { total: integer, stages: table<string, integer> }
function M.kill_and_count(by_name)
    local counts, stages = { total = 0, stages = {} }, {}
    for _, stage in pairs(by_name) do
        stages[#stages + 1] = stage
        stage:kill()
    end
    for _, stage in ipairs(stages) do
        stage:join()
    end
    local stats = M.stats(stages)
    for name, stage in pairs(by_name) do
        local n = stats[stage] and stats[stage].unfinished or 0
        if n > 0 then
            counts.stages[name] = n
            counts.total = counts.total + n
        end
    end
    return counts
end

return M
