-- SPDX-License-Identifier: MIT

--- Stages of a pipeline that get the dead letters of its other stages. They are not subscribed to those, so
--- they end when the stages that may still write to them have ended.
local courier = require "stagehost.supervisor.courier"

local M = {}

--- Whether events of one unit may reach another.
local function reaches(from, to, seen)
    if from == to then
        return true
    end
    seen[from] = true
    for _, edge in ipairs(from.outputs) do
        if not seen[edge.consumer] and reaches(edge.consumer, to, seen) then
            return true
        end
    end
    return false
end

--- Finds the writers of each unit. A unit that handles dead letters, directly or further on, may write some
--- itself: it does not count as a writer.
---@param net stagehost.Net
function M.connect(net)
    for _, unit in ipairs(net.units) do
        local name = unit.plan.options.dead_letter
        local letters = type(name) == "string" and net.by_name[name]
        if letters and not reaches(letters, unit, {}) then
            unit.letters = letters
            letters.writers = letters.writers or {}
            table.insert(letters.writers, unit)
        end
    end
end

--- Whether a unit ends after its writers, and not as a source does.
---@param unit stagehost.Unit
---@return boolean
function M.has_writers(unit)
    return unit.writers ~= nil and #unit.inputs == 0
end

--- Whether all writers of a unit have ended. If so, waits until their messages have arrived: messages of
--- one worker to a stage stay in order.
---@param unit stagehost.Unit
---@return boolean
function M.are_over(unit)
    local workers = {}
    for _, writer in ipairs(unit.writers) do
        if not writer.is_finished then
            return false
        end
        for worker in pairs(writer.workers) do
            workers[worker] = true
        end
    end
    for worker in pairs(workers) do
        courier.reach(unit.stage, worker)
    end
    return true
end

return M
