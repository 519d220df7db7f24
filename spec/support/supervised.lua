-- SPDX-License-Identifier: MIT

--- Helpers for the specs of consumer_supervisor: a producer that emits events on request and notes its
--- demand, and children that do what their event says.
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local M = {}

local functions = stagehost.consumer_supervisor

--- Waits until nothing moves any more on this worker.
function M.settle()
    assert(hooks.settle(10000), "not quiet in time")
end

--- A producer: `call { emit = events }`, `call "demands"`.
M.Source = stagehost.producer {
    init = function(self) self.demands = {} end,
    handle_demand = function(self, n) table.insert(self.demands, n) end,
    handle_call = function(self, request)
        if request == "demands" then
            return self.demands
        end
        return true, request.emit
    end,
}

function M.source()
    return stages.start(M.Source)
end

--- The demands on the source so far.
function M.demands(source)
    M.settle()
    return source:call "demands"
end

function M.emit(source, ...)
    assert(source:call { emit = { ... } })
    M.settle()
end

--- A child for the event { ... }, or for a string, which has no effect:
---   fails = "error" | "ignore" | "bad" | "raise" | "throw"    how its init fails
---   fails_from = n                                            ... from the n-th start of this event on
---   stubborn = true                                           does not end when it is told to
---   ends_as = reason                                          its reason when it is told to
--- `call "event"` answers the event; `cast(reason)` ends it.
local starts = setmetatable({}, { __mode = "k" })

local failures = {
    error = function() return stagehost.stop("oops") end,
    ignore = function() return stagehost.ignore end,
    bad = function() return "nonsense" end,
    raise = function() error("raised") end,
    throw = function() error({ thrown = true }) end,
}

local callbacks = {}

function callbacks.init(self, event)
    self.event = event
    if type(event) ~= "table" then
        return nil
    end
    starts[event] = (starts[event] or 0) + 1
    if event.fails and starts[event] >= (event.fails_from or 1) then
        return failures[event.fails]()
    end
end

function callbacks.handle_call(self)
    return self.event
end

function callbacks.handle_cast(_, reason)
    return stagehost.stop(reason)
end

M.Child = stagehost.process {
    init = callbacks.init,
    handle_call = callbacks.handle_call,
    handle_cast = callbacks.handle_cast,
}

--- A child like M.Child that traps exits.
M.TrappingChild = stagehost.process {
    init = callbacks.init,
    handle_call = callbacks.handle_call,
    handle_cast = callbacks.handle_cast,
    handle_exit = function(self, _, reason)
        local event = type(self.event) == "table" and self.event or {}
        if not event.stubborn then
            return stagehost.stop(event.ends_as or reason)
        end
    end,
}

--- Starts a supervisor of M.Child.
---@param options? table
function M.supervisor(options)
    local given = { child = M.Child }
    for key, value in pairs(options or {}) do
        given[key] = value
    end
    return stages.start(functions(given))
end

--- The handles of the running children, in the order of their starts.
function M.children(supervisor)
    M.settle()
    local list = {}
    for _, entry in ipairs(assert(functions.which_children(supervisor))) do
        if entry.state == "running" then
            list[#list + 1] = entry.stage
        end
    end
    return list
end

--- The events of the running children.
function M.events(supervisor)
    local list = {}
    for i, child in ipairs(M.children(supervisor)) do
        list[i] = child:call "event"
    end
    return list
end

--- "workers, active"
function M.count(supervisor)
    M.settle()
    local count = assert(functions.count_children(supervisor))
    return count.workers .. ", " .. count.active
end

--- Ends a child from inside, with the given reason.
function M.finish(child, reason)
    child:cast(reason or "normal")
    M.settle()
end

return M
