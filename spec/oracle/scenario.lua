--- Performs one scenario: starts its stages, takes its steps, and returns what was recorded.
local hooks = require "stagehost.spec"
local probe = require "probe"
local stages = require "stages"
local steps = require "steps"
local supervisors = require "supervisors"
local Trace = require "trace"
local words = require "words"

local M = {}

local settle_timeout_ms = 10000

local World = {}
World.__index = World

--- Notes the handle of a stage that was started.
function World:add(name, handle)
    self.handles[name] = handle
    self.started[#self.started + 1] = handle
    self.trace:name_stage(handle, name)
end

--- The handle of a stage that was started before.
function World:handle(name)
    return self.handles[name] or error("no stage " .. tostring(name))
end

--- The value for `to`: the handle of a stage, or the name of one that does not exist.
function World:producer(name)
    return self.handles[name] or name
end

--- The subscription with a name. Stages are needed for a subscription that no stage knows.
function World:subscription(name, consumer, producer)
    local known = self.trace.subs[name]
    if known then
        return known
    end
    consumer = consumer or name:match("^([^>]+)>")
    producer = producer or name:match(">([^#]+)")
    return probe.subscription(self, name, self:handle(consumer), self:handle(producer))
end

--- Waits until nothing moves any more.
function World.settle()
    if not hooks.settle(settle_timeout_ms) then
        error("not quiet after " .. settle_timeout_ms .. " ms")
    end
end

--- Ends every stage and frees their names.
function World:close()
    for _, handle in ipairs(self.started) do
        if handle:is_alive() then
            hooks.release(handle)
            handle:kill()
        end
    end
    supervisors.close(self)
    self.settle()
end

local function perform(world, scenario)
    local starts, results = {}, {}
    for _, stage in ipairs(scenario.stages) do
        if stage.start ~= false then
            local result = stages.start(world, stage)
            if result ~= "ok" then
                starts[stage.name] = result
            end
            world.settle()
        end
    end
    for i, step in ipairs(scenario.steps) do
        local take = steps[step.op] or error("unknown step " .. tostring(step.op))
        results[i] = take(world, step)
        if step.settle ~= false then
            world.settle()
        end
    end
    return starts, results
end

-- The reason of a stage's end that its terminate was told; none for a killed stage.
local function exit_reason(world, name)
    local handle = world.handles[name]
    if not handle or handle:is_alive() then
        return words.null
    elseif world.children[name] then
        return words.reason(handle:join())
    end
    return world.trace.exits[name] or "killed"
end

--- Performs a scenario.
---@param scenario table as read from its file
---@param opts { gc_stress: boolean? }
---@return table output in the format of the expectations
function M.perform(scenario, opts)
    local world = setmetatable({
        trace = Trace.new(opts.gc_stress),
        format = scenario.events_format,
        handles = {},
        started = {},
        held = {},
        descriptions = {},
        children = {}, -- of supervisors, by name
    }, World)
    for _, stage in ipairs(scenario.stages) do
        world.descriptions[stage.name] = stage
    end
    hooks.endless_slices()
    hooks.on_log(function(code) world.trace:log(code) end)
    local done, starts, results = xpcall(perform, debug.traceback, world, scenario)
    local observed = {}
    local observe = scenario.observe or {}
    for _, stage in ipairs(scenario.stages) do
        local exit = exit_reason(world, stage.name)
        observed[stage.name] = world.trace:observe(stage, observe[stage.name], world.format, exit)
        if world.children[stage.name] then
            observed[stage.name].children = supervisors.observe(world, stage.name)
        end
    end
    local logs = world.trace.logs
    hooks.on_log(nil)
    world:close()
    if not done then
        error(starts, 0)
    end
    return {
        name = scenario.name,
        results = results,
        logs = logs,
        starts = next(starts) and starts or nil,
        stages = observed,
    }
end

return M
