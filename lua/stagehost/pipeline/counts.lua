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
