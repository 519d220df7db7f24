-- SPDX-License-Identifier: MIT

--- Every callback of every kind of stage, and how to make it run: the tables of the fault specs.
--- A case `c` is run by `faults.run(c, f)` with `f` as the callback.
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local M = {}
local start = stages.start

local function nothing() end

--- A producer of ten events.
M.Source = stagehost.producer {
    handle_demand = function(self)
        local events = not self.emitted and { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } or nil
        self.emitted = true
        return events
    end,
}
M.Silent = stagehost.producer { handle_demand = nothing }
M.Sink = stagehost.consumer { handle_events = nothing }

--- Makes a subscription whose end does not end the consumer.
---@param consumer stagehost.Stage
---@param producer stagehost.Stage
---@return stagehost.Subscription
function M.link(consumer, producer)
    return assert(consumer:subscribe { to = producer, cancel = "temporary", max_demand = 10 })
end

local link = M.link

---@class spec.Fault
---@field name string
---@field kind stagehost.Kind
---@field callback string
---@field other? stagehost.Definition of a stage that it is or gets subscribed with
---@field poke fun(stage: stagehost.Stage, other: stagehost.Stage?) makes the callback run

local function case(kind, callback, other, poke)
    return { kind = kind, callback = callback, other = other, poke = poke, name = kind .. " " .. callback }
end

local function to_producer(stage, other)
    link(other, stage)
end

local function to_consumer(stage, other)
    link(stage, other)
end

-- The subscriber does not wait: only what becomes of the stage matters here.
local function to_consumer_at_once(stage, other)
    stage:async_subscribe { to = other, cancel = "temporary" }
end

local function notify(stage, other)
    link(stage, other)
    hooks.settle(1000)
    other:notify "news"
end

local function cancel_from_consumer(stage, other)
    link(stage, other):cancel "enough"
end

-- Called from a process of its own, which may wait for ever.
local function call(stage)
    start(stagehost.process {
        handle_cast = function()
            stage:call("x", math.huge)
        end,
    }):cast "go"
end

---@type spec.Fault[]
M.cases = {
    case("producer", "handle_demand", M.Sink, to_producer),
    case("consumer", "handle_events", M.Source, to_consumer),
    case("producer_consumer", "handle_events", M.Source, function(stage, other)
        link(start(M.Sink), stage) -- its demand lets the events in
        link(stage, other)
    end),
    case("consumer", "handle_subscribe", M.Silent, to_consumer_at_once),
    case("producer", "handle_subscribe", M.Sink, to_producer),
    case("producer_consumer", "handle_subscribe", M.Silent, to_consumer_at_once),
    case("consumer", "handle_cancel", M.Silent, cancel_from_consumer),
    case("producer", "handle_cancel", M.Sink, function(stage, other)
        link(other, stage):cancel "enough"
    end),
    case("producer_consumer", "handle_cancel", M.Silent, cancel_from_consumer),
    case("consumer", "handle_notification", M.Silent, notify),
    case("producer_consumer", "handle_notification", M.Silent, notify),
}
for _, kind in ipairs { "producer", "consumer", "producer_consumer", "process" } do
    table.insert(M.cases, case(kind, "handle_cast", nil, function(stage)
        stage:cast "x"
    end))
    table.insert(M.cases, case(kind, "handle_info", nil, function(stage)
        stage:send "x"
    end))
    table.insert(M.cases, case(kind, "handle_call", nil, call))
end

--- A definition of the kind whose callback is `fault`.
---@param kind stagehost.Kind
---@param callback string
---@param fault function
---@return stagehost.Definition
function M.faulty(kind, callback, fault)
    local def = { [callback] = fault }
    if kind == "producer" then
        def.handle_demand = def.handle_demand or nothing
    elseif kind ~= "process" then
        def.handle_events = def.handle_events or nothing
    end
    return stagehost[kind](def)
end

--- Watches a stage with a process that waits for it: `watch(stage)()` returns the reason of its end, nil before.
---@param stage stagehost.Stage
---@return fun(): any
function M.watch(stage)
    local reason
    start(stagehost.process {
        handle_cast = function()
            reason = stage:join()
        end,
    }):cast "watch"
    hooks.settle(1000)
    return function()
        return reason
    end
end

--- Runs the case, waits until all is quiet, and returns the reason of the stage's end, or "alive".
--- No other stage may have ended.
---@param c spec.Fault
---@param fault function
---@param before? fun(stage: stagehost.Stage) called before the callback is made to run
---@return any
function M.run(c, fault, before)
    local bystander = start(M.Silent)
    local other = c.other and start(c.other, { name = "other" })
    local stage = start(M.faulty(c.kind, c.callback, fault), { name = "faulty" })
    local reason = M.watch(stage)
    if before then
        before(stage)
    end
    c.poke(stage, other)
    assert(hooks.settle(1000), "something does not come to an end")
    assert(bystander:is_alive(), "a bystander ended")
    assert(not other or other:is_alive(), "the other one ended as well")
    if stage:is_alive() then
        return "alive"
    end
    return reason()
end

return M
