-- SPDX-License-Identifier: MIT

--- Stages of a pipeline that get the dead letters of others of it. Nobody subscribes them to those, so
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

--- Finds out who writes to whom. Whoever handles dead letters may write some itself: that one is not
--- waited for.
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

--- Whether a unit ends with those that write to it, not as a source does.
---@param unit stagehost.Unit
---@return boolean
function M.has_writers(unit)
    return unit.writers ~= nil and #unit.inputs == 0
end

--- Whether all who write to it have ended. Then waits until what they have sent is there: messages of
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
