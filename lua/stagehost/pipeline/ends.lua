-- SPDX-License-Identifier: MIT

--- How a pipeline ends gracefully: a unit is told to end when its producers have all ended gracefully and it
--- has handled their events, or when no consumer takes events from it any more.
local children = require "stagehost.supervisor.children"
local core = require "stagehost.core"
local letters = require "stagehost.pipeline.letters"
local net = require "stagehost.pipeline.net"

local M = {}

local function is_over(unit)
    if letters.has_writers(unit) then
        return letters.are_over(unit)
    end
    local has_inputs = false
    for _, edge in ipairs(unit.inputs) do
        if not edge.is_feedback then
            has_inputs = true
            if not edge.producer.is_finished or edge.open_to then
                return false
            end
        end
    end
    return has_inputs
end

local function is_unneeded(unit)
    local has_outputs = false
    for _, edge in ipairs(unit.outputs) do
        if not edge.is_feedback then
            has_outputs = true
            if not edge.consumer.is_finished then
                return false
            end
        end
    end
    return has_outputs
end

--- Tells a unit to end: "normal" lets its consumers take everything first.
---@param unit stagehost.Unit
---@param reason "normal" | "shutdown"
function M.tell(unit, reason)
    if unit.stage and not unit.is_ending then
        unit.is_ending = true
        unit.stage:async_stop(reason)
    end
end

--- Whether one of a unit's producers has crashed for good.
local function has_failed_input(unit)
    for _, edge in ipairs(unit.inputs) do
        if edge.producer.has_failed then
            return true
        end
    end
    return false
end

--- Whether a cycle leads back to a unit: the events that come over it do not end before the unit does.
local function is_fed_back(unit)
    for _, edge in ipairs(unit.inputs) do
        if edge.is_feedback then
            return true
        end
    end
    return false
end

--- Ends a unit if it has no more events to take; its handle_end is called then.
---@param unit stagehost.Unit
function M.check_over(unit)
    if not unit.stage or unit.is_ending or not is_over(unit) then
        return
    elseif #unit.inputs > 0 and not is_fed_back(unit) and not has_failed_input(unit) then
        unit.is_ending = true
        core.end_input(unit.stage)
    else
        M.tell(unit, "normal")
    end
end

--- Ends a unit whose events are not needed, even if it was told to end gracefully, and waits for consumers
--- that will not come.
local function check_unneeded(self, unit)
    if unit.is_finished or not is_unneeded(unit) then
        return
    elseif unit.stage then
        unit.is_ending = true
        unit.stage:async_stop("shutdown")
    else
        M.finish(self, unit)
    end
end

--- Handles a unit that has ended gracefully, or will not run again.
---@param self table the state of the pipeline's process
---@param unit stagehost.Unit
function M.finish(self, unit)
    unit.is_finished = true
    children.lose(self.children, unit, "stopped")
    net.disconnect(unit)
    for _, edge in ipairs(unit.outputs) do
        M.check_over(edge.consumer)
    end
    for _, edge in ipairs(unit.inputs) do
        check_unneeded(self, edge.producer)
    end
    if unit.letters then
        M.check_over(unit.letters)
    end
end

--- Whether all units that have events have finished. Plain processes don't count beside these.
---@param units stagehost.Unit[]
---@return boolean
function M.all_finished(units)
    local all, all_with_events, n_with_events = true, true, 0
    for _, unit in ipairs(units) do
        local has_events = unit.plan.kind ~= "process"
        n_with_events = n_with_events + (has_events and 1 or 0)
        all_with_events = all_with_events and (unit.is_finished or not has_events)
        all = all and unit.is_finished
    end
    return n_with_events > 0 and all_with_events or all
end

--- Whether no other unit decides when this one ends.
---@param unit stagehost.Unit
---@return boolean
function M.is_source(unit)
    return #unit.inputs == 0 and unit.plan.kind ~= "process" and not letters.has_writers(unit)
end

--- Ends all sources gracefully; a source that waits for its restart is not started again.
---@param self table
function M.begin_drain(self)
    for _, unit in ipairs(self.net.units) do
        if M.is_source(unit) and not unit.is_finished then
            if unit.stage then
                unit.is_ending = true
                if unit.plan.kind == "producer" then
                    unit.stage:demand("forward") -- events that it holds back have to go out
                end
                unit.stage:async_stop("normal")
            else
                M.finish(self, unit)
            end
        end
    end
end

return M
