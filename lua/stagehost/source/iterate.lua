-- SPDX-License-Identifier: MIT

--- Events that a Lua function makes, one for each call, as a `for` loop would get them.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local notes = require "stagehost.messages.note"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"
local uv = require "luv"

local M = {}

-- A slow function must not hold its first event back until it has made a thousand, nor block the
-- worker: after about this time the events made so far go out, and the rest comes in another turn.
local TURN_NS = 5e6
local MAX_STRIDE = 4096

local callbacks = { title = "iterate" }

function callbacks.init(self, args)
    self.owed, self.stride = 0, 1
    if self.generator then
        self.f, self.state, self.control = self.generator(args)
        if type(self.f) ~= "function" then
            error(("the generator must return a function, got %s"):format(checks.show(self.f)), 0)
        end
    end
end

--- The clock is read every `stride` events: the faster the function, the more rarely.
local function adapt(self, elapsed_ns)
    if elapsed_ns < TURN_NS / 8 then
        self.stride = math.min(self.stride * 2, MAX_STRIDE)
    elseif elapsed_ns > TURN_NS / 2 then
        self.stride = math.max(math.floor(self.stride / 4), 1)
    end
end

--- Makes at most `limit` events: fewer at the end (true) and when the time of the turn is up.
local function pull(self, limit)
    local f, state, control = self.f, self.state, self.control
    local events, n = {}, 0
    local started = uv.hrtime()
    local look_at = self.stride
    while n < limit do
        local event = f(state, control)
        if event == nil then
            return events, n, true
        end
        control = event
        n = n + 1
        events[n] = event
        if n == look_at then
            local elapsed = uv.hrtime() - started
            adapt(self, elapsed)
            if elapsed > TURN_NS then
                break
            end
            look_at = n + self.stride
        end
    end
    self.control = control
    return events, n, false
end

local function produce(self)
    local events, n, done = pull(self, self.owed)
    self.owed = self.owed - n
    if done then
        return stagehost.stop("normal", events)
    elseif self.owed > 0 and not self.continuing then
        self.continuing = true
        self.stage:send(notes.new "go_on")
    end
    return events
end

function callbacks.handle_demand(self, demand)
    self.owed = self.owed + demand
    return produce(self)
end

local takers = {}

function takers.go_on(self)
    self.continuing = false
    return self.owed > 0 and produce(self) or nil
end

function callbacks.handle_info(self, message)
    return notes.take("source.iterate", takers, self, message)
end

M.callbacks = callbacks

local generator_schema = { generator = checks.typed "function" }

--- A producer of the values that `f(state, control)` returns, called as a `for` loop calls an iterator:
--- `control` is the previous event; the first nil is the end. Events are made only when they are
--- asked for.
---
---     local n = 0
---     stagehost.source.iterate(function() n = n + 1 return n <= 100 and n or nil end)
---     stagehost.source.iterate(ipairs { "a", "b" })        -- the events are 1 and 2
---     stagehost.source.iterate { generator = function(args) return io.lines(args.path) end }
---
--- `f` may wait (sleep, await, call another stage). Its upvalues are shared by all
--- stages that are started from the definition on this worker, and copied for a stage on another
--- worker. Each stage calls a `generator` at its start, on its own worker, with the `args` of the
--- start: a generator can open objects that can't travel.
---@param f fun(state: any, control: any): any|{ generator: fun(args: any): function, any, any }
---@param state? any
---@param control? any
---@return stagehost.Definition
function M.new(f, state, control)
    local definition = tables.copy(callbacks)
    if type(f) == "table" then
        definition.generator = checks.apply(generator_schema, f, "source.iterate").generator
    else
        definition.f, definition.state, definition.control = f, state, control
    end
    if type(definition.generator or f) ~= "function" then
        errors.raise("invalid_option",
            "source.iterate: expected a function or { generator = function }, got %s",
            checks.show(f))
    end
    return stagehost.producer(definition)
end

return M
