-- SPDX-License-Identifier: MIT

--- The handle of a running pipeline. Its methods wait.
local checks = require "stagehost.options.checks"
local counts = require "stagehost.pipeline.counts"
local requests = require "stagehost.messages.request"

local M = {}

---@class stagehost.RunningPipeline
---@field process stagehost.Stage
local Running = {}
Running.__index = Running

function Running:__tostring()
    return ("pipeline<%s>"):format(self.process.name or "#" .. self.process.id)
end

-- A metatable held by a module travels by name; otherwise every worker would get copies of its methods.
M.methods = Running

local function ask(self, what, fields)
    return requests.ask(self.process, "pipeline", what, fields)
end

--- Waits for the end of the pipeline. The results of its stages (of `sink.collect`: its events) are there by the
--- name of the stage, "out" or "out.2". After `stop` these are the results of stages that had ended before.
---@return table<string, any>? results nil: a stage has crashed for good, or the results can't be known any more
---@return stagehost.Reason | string reason "normal" or the reason of the stop; without results a message
---@return stagehost.Reason reason without results: the first crash that could not be recovered; "noproc"
function Running:join()
    return self.process:join()
end

---@return boolean
function Running:is_alive()
    return self.process:is_alive()
end

--- Ends the pipeline now, from the sources to the ends, without waiting for events that are under way.
---@return true
function Running:stop()
    return self.process:stop("shutdown")
end

--- Ends the pipeline gracefully: the sources are told to end, everything they have emitted is handled, and the
--- pipeline ends. When the time is up, stages that are left are killed and their events counted.
---@param timeout_ms? stagehost.Duration default: no limit
---@return true?
---@return string? message
---@return { total: integer, stages: table<string, integer> }? left events that were not handled
function Running:drain(timeout_ms)
    if timeout_ms ~= nil and timeout_ms ~= math.huge then
        local ms, problem = checks.duration(1)(timeout_ms)
        if problem then
            checks.fail("timeout_ms", problem, timeout_ms)
        end
        timeout_ms = ms
    end
    return ask(self, "drain", { timeout_ms = timeout_ms or math.huge })
end

--- The stage that runs under a name now; after a restart it is a new one.
---@param name string "count", "count.1"
---@return stagehost.Stage?
---@return string? message
---@return any reason "not_found", "restarting", "stopped"
function Running:stage(name)
    return ask(self, "stage", { name = name })
end

---@class stagehost.StageStatus
---@field name string
---@field kind stagehost.Kind
---@field state "running" | "restarting" | "ending" | "finished" | "stopped"
---@field stage? stagehost.Stage
---@field worker? integer
---@field restarts integer
---@field start_time? integer seconds since 1970: of the stage that runs now
---@field producers string[] the names of the stages it subscribes to
---@field consumers string[] the names of the stages that subscribe to it
---@field dispatcher? string of a stage that produces
---@field stats? table<string, any> its counters, as in stage:stats()

--- The state of the pipeline and its stages now.
---@return { state: "running" | "draining", stages: stagehost.StageStatus[],
---    crossings: stagehost.CrossingStatus[] }?
---@return string? message
---@return any reason
function Running:status()
    local status, message, reason = ask(self, "status")
    if not status then
        return nil, message, reason
    end
    local stages = {}
    for _, one in ipairs(status.stages) do
        stages[#stages + 1] = one.stage
    end
    local stats = counts.stats(stages)
    for _, one in ipairs(status.stages) do
        one.stats = one.stage and stats[one.stage]
        one.dispatcher = one.stats and one.stats.dispatcher
    end
    status.crossings = counts.crossings(status.stages)
    return status
end

---@param stage stagehost.Stage
---@return stagehost.RunningPipeline
function M.new(stage)
    return setmetatable({ process = stage }, Running)
end

return M
