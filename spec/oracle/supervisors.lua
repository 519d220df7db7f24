--- Supervisors of a scenario: consumer_supervisors whose children do what their event says.
local stagehost = require "stagehost"
local words = require "words"

local M = {}

-- Events that make the first start fail: the record, and how init fails.
local failing = {
    error = { "child_error", function() return stagehost.stop("error") end },
    ignore = { "child_ignore", function() return stagehost.ignore end },
    unknown = { "child_bad", function() return "unknown" end },
    raise = { "child_raise", function() error("raise") end },
    throw = { "child_throw", function() error({ "throw" }) end },
    exit = { "child_exit", function() return stagehost.stop("exit") end },
}

-- The failures of restarts of a child, by its event.
local at_restart = { restart_error = "error", restart_ignore = "ignore" }

--- The definition of children of the supervisor `name`; those that have started are appended to
--- `children` as { stage, event }, and numbered from 0.
local function child_definition(trace, name, children)
    local callbacks = {}

    function callbacks.init(self, event)
        local failure = failing[children.ended[event] and at_restart[event] or event]
        if failure then
            trace:record(name, failure[1], event)
            return failure[2]()
        end
        trace:record(name, "child_start", #children, event)
        self.event = event
        table.insert(children, { stage = self.stage, event = event })
    end

    function callbacks.handle_cast(_, message)
        return stagehost.stop(message.stop)
    end

    function callbacks.handle_exit(self, _, reason)
        if self.event ~= "stubborn" then
            return stagehost.stop(reason)
        end
    end

    return stagehost.process(callbacks)
end

--- The definition of a supervisor.
---@param world table
---@param desc table
---@return table
function M.definition(world, desc)
    local children = { ended = {} }
    world.children[desc.name] = children
    return stagehost.consumer_supervisor {
        child = child_definition(world.trace, desc.name, children),
        restart = desc.restart,
        shutdown = desc.shutdown,
        max_restarts = desc.max_restarts,
        max_seconds = desc.max_seconds,
    }
end

--- The part of the output about the children: number, event, end reason or null.
---@param world table
---@param name string
---@return table
function M.observe(world, name)
    local out = {}
    for i, child in ipairs(world.children[name]) do
        local reason = words.null
        if not child.stage:is_alive() then
            reason = words.reason(child.stage:join())
        end
        out[i] = { i - 1, child.event, reason }
    end
    return out
end

--- Kills the children that are left.
---@param world table
function M.close(world)
    for _, children in pairs(world.children) do
        for _, child in ipairs(children) do
            child.stage:kill()
        end
    end
end

-- Steps -------------------------------------------------------------------------------------------

local steps = {}

function steps.count_children(world, step)
    local count, _, reason = stagehost.consumer_supervisor.count_children(world:handle(step.stage))
    return count or words.exit(reason)
end

function steps.which_children(world, step)
    local list, _, reason = stagehost.consumer_supervisor.which_children(world:handle(step.stage))
    if not list then
        return words.exit(reason)
    end
    local number = {}
    for i, child in ipairs(world.children[step.stage]) do
        number[child.stage.id] = i - 1
    end
    local out = {}
    for i, entry in ipairs(list) do
        out[i] = entry.state == "restarting" and "restarting" or number[entry.stage.id]
    end
    return out
end

local function result(world, step, done, reason)
    if done then
        return "ok"
    elseif not world:handle(step.stage):is_alive() then
        return words.exit(reason)
    end
    return reason == "ignore" and "ignore" or { "error", words.reason(reason) }
end

function steps.start_child(world, step)
    local child, message, reason = stagehost.consumer_supervisor.start_child(world:handle(step.stage), step.arg)
    return result(world, step, child, reason or message)
end

--- For a child that never existed, uses the supervisor itself, which is none of its children.
function steps.terminate_child(world, step)
    local child = world.children[step.stage][step.child + 1]
    local supervisor = world:handle(step.stage)
    local done, _, reason = stagehost.consumer_supervisor.terminate_child(supervisor,
        child and child.stage or supervisor)
    return result(world, step, done, reason)
end

function steps.child_exit(world, step)
    local children = world.children[step.stage]
    local child = children[step.child + 1]
    children.ended[child.event] = true
    child.stage:cast { stop = words.parse(step.reason) or "normal" }
    return "ok"
end

M.steps = steps

return M
