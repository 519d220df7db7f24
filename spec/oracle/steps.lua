--- Steps of a scenario: step[op](world, step) performs one and returns its result.
local hooks = require "stagehost.spec"
local options = require "options"
local probe = require "probe"
local stagehost = require "stagehost"
local stages = require "stages"
local stream = require "stream"
local supervisors = require "supervisors"
local words = require "words"

local M = {}

for op, take in pairs(supervisors.steps) do
    M[op] = take
end

-- A call that does not return within this time is taken to never return.
local call_timeout_ms = 2000

local function call(world, step, request)
    local reply, _, reason = world:handle(step.stage):call(request, call_timeout_ms)
    if reply == nil then
        return words.exit(reason)
    end
    return reply
end

--- Runs `job` on a process of its own: it may wait as long as it likes.
local function aside(job)
    local process = stagehost.start(stagehost.process {
        handle_cast = function()
            job()
            return stagehost.stop()
        end,
    })
    process:cast("go")
end

function M.start(world, step)
    return stages.start(world, world.descriptions[step.stage or step.name])
end

-- The result for a subscription that was not even requested. The consumer logs a refused option.
local function not_subscribed(world, consumer, message, reason)
    if not consumer:is_alive() then
        return words.exit(reason)
    elseif words.reason(reason) == "not_a_consumer" then
        return { "error", "not_a_consumer" }
    end
    world.trace:log("invalid_option")
    return words.refusal(message)
end

local function subscribe(world, step, opts)
    local consumer = world:handle(step.consumer)
    local asked, sub, message, reason = pcall(consumer.subscribe, consumer, opts)
    if not asked then
        return not_subscribed(world, consumer, sub)
    elseif not sub then
        return not_subscribed(world, consumer, message, reason)
    end
    world.trace:subscription(sub)
    return "ok"
end

function M.subscribe(world, step)
    return subscribe(world, step, options.subscription(step.opts, world:producer(step.to)))
end

function M.async_subscribe(world, step)
    local consumer = world:handle(step.consumer)
    local opts = options.subscription(step.opts, world:producer(step.to))
    if not pcall(consumer.async_subscribe, consumer, opts) then
        world.trace:log("invalid_option")
    end
    return "ok"
end

function M.resubscribe(world, step)
    local consumer, producer = world:handle(step.consumer), world:producer(step.to)
    local opts = options.subscription(step.opts, producer)
    opts.current = probe.subscription(world, step.sub, consumer, producer)
    opts.reason = words.parse(step.reason)
    return subscribe(world, step, opts)
end

-- Asks from inside the consumer. A held consumer gets the request when it is released.
function M.ask(world, step)
    local sub = world:subscription(step.sub)
    local request = { ask = sub, n = step.n }
    if world.held[sub.consumer.id] then
        sub.consumer:cast(request)
        return "ok"
    end
    local reply, _, reason = sub.consumer:call(request, call_timeout_ms)
    return reply or words.exit(reason)
end

function M.cancel(world, step)
    local sub = world:subscription(step.sub, step.consumer, step.to or step.stage)
    sub:cancel(words.parse(step.reason))
    return "ok"
end

function M.emit(world, step)
    return call(world, step, { emit = step.events })
end

function M.emit_cast(world, step)
    world:handle(step.stage):cast { emit = step.events }
    return "ok"
end

function M.emit_info(world, step)
    world:handle(step.stage):send { emit = step.events }
    return "ok"
end

function M.push(world, step)
    return call(world, step, { push = step.events })
end

function M.info(world, step)
    local _, _, reason = world:handle(step.stage):sync_info(step.msg)
    return reason and words.exit(reason) or "ok"
end

function M.async_info(world, step)
    world:handle(step.stage):async_info(step.msg)
    return "ok"
end

function M.message(world, step)
    world:handle(step.stage):send(step.msg)
    return "ok"
end

function M.fake_down(world, step)
    hooks.fake_down(world:handle(step.stage))
    return "ok"
end

-- A mode that a stage does not have appears in the log only.
function M.set_demand(world, step)
    world:handle(step.stage):demand(step.mode)
    return "ok"
end

function M.get_demand(world, step)
    local stage = world:handle(step.stage)
    local mode, _, reason = stage:demand()
    if mode == nil then
        return stage:is_alive() and { "error", words.reason(reason) } or words.exit(reason)
    end
    return mode
end

function M.buffered(world, step)
    local stage = world:handle(step.stage)
    local n, _, reason = stage:buffered()
    if n == nil then
        return stage:is_alive() and 0 or words.exit(reason)
    end
    return n
end

-- stop() waits for the end, which a producer delays until its consumers have all buffered events.
function M.stop(world, step)
    local stage = world:handle(step.stage)
    if not stage:is_alive() then
        return { "exit", "noproc" }
    end
    aside(function() stage:stop(words.parse(step.reason)) end)
    return "ok"
end

function M.stop_call(world, step)
    return call(world, step, { stop = words.parse(step.reason) })
end

function M.bad_call(world, step)
    return call(world, step, { bad = true })
end

function M.kill(world, step)
    world:handle(step.stage):kill()
    return "ok"
end

function M.pause(world, step)
    local stage = world:handle(step.stage)
    world.held[stage.id] = true
    hooks.hold(stage)
    return "ok"
end

function M.resume(world, step)
    local stage = world:handle(step.stage)
    world.held[stage.id] = nil
    hooks.release(stage)
    return "ok"
end

function M.alive(world, step)
    local stage = world.handles[step.stage]
    return stage ~= nil and stage:is_alive()
end

function M.raw(world, step)
    probe.send(world, world:handle(step.probe), world:handle(step.to), step.msg)
    return "ok"
end

function M.raw_emit_call(world, step)
    local request = { emit = step.events, early = step.early }
    probe.call(world:handle(step.probe), world:handle(step.to), request)
    return "ok"
end

function M.stream_take(world, step)
    return stream.take(world, step)
end

function M.sleep(_, step)
    stagehost.sleep(step.ms)
    return "ok"
end

function M.settle()
    return "ok"
end

return M
