-- SPDX-License-Identifier: MIT

--- A producer that other stages push events into, and that makes them wait while it is full.
---
--- Events it has accepted go straight to the core: to consumers, or into the stage's buffer. So
--- they are in the ledger, and a drain delivers them. Markers show how many of them are still in the
--- buffer: an in-band info after every quarter of the limit, which comes out of the
--- buffer after the events before it.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local notes = require "stagehost.messages.note"
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local DEFAULT_LIMIT = 10000
local CLOSED = "the queue is closed"

-- The stage -----------------------------------------------------------------------------------

local callbacks = { title = "queue", buffer_size = "infinity" }

--- The group of the stages that are started from a queue: so its object finds them, on any worker, whoever
--- has started them.
local function group_of(id)
    return "stagehost.source.queue " .. id
end

function callbacks.init(self)
    if self.id then
        core.enter(group_of(self.id))
    end
    self.limit = self.limit or DEFAULT_LIMIT
    self.marker_every = math.max(1, math.floor(self.limit / 4))
    self.held = 0 -- events that may be in the buffer
    self.unmarked = 0 -- how many of these have no marker behind them
    self.waiting, self.first, self.last = {}, 1, 0 -- pushes that wait for room, in order
end

local function count(self, n)
    self.held, self.unmarked = self.held + n, self.unmarked + n
    if self.unmarked >= self.marker_every then
        self.stage:async_info(notes.new("taken", { n = self.unmarked }))
        self.unmarked = 0
    end
end

local function is_full(self)
    return self.held >= self.limit or self.first <= self.last
end

--- Accepts waiting pushes while there is room, or all of them.
local function accept_waiting(self, all)
    local events = {}
    while self.first <= self.last and (all or self.held < self.limit) do
        local push = self.waiting[self.first]
        self.waiting[self.first] = nil
        self.first = self.first + 1
        for i = 1, #push.events do
            events[#events + 1] = push.events[i]
        end
        count(self, #push.events)
        push.from:reply(requests.results(true))
    end
    return events
end

local answers = {}

function answers.push(self, request, from)
    if is_full(self) then
        self.last = self.last + 1
        self.waiting[self.last] = { events = request.events, from = from }
        return stagehost.noreply
    end
    count(self, #request.events)
    return requests.results(true), request.events
end

function answers.try_push(self, request)
    if is_full(self) then
        return requests.results(false)
    end
    count(self, #request.events)
    return requests.results(true), request.events
end

function answers.close(self)
    return stagehost.stop("normal", accept_waiting(self, true), requests.results(true))
end

function answers.stats(self)
    return requests.results { held = self.held, limit = self.limit, waiting = self.last - self.first + 1 }
end

function callbacks.handle_call(self, message, from)
    return requests.answer("queue", answers, self, message, from)
end

--- A message cast to the stage is an event, for senders that can't wait, such as those of dead letters.
function callbacks.handle_cast(self, event)
    if event == nil then
        return nil
    end
    count(self, 1)
    return { event }
end

local takers = {}

--- Notes that events have left the buffer.
function takers.taken(self, note)
    self.held = self.held - note.n
    return accept_waiting(self, false)
end

function callbacks.handle_info(self, message)
    return notes.take("queue", takers, self, message)
end

function callbacks.terminate(self)
    for i = self.first, self.last do
        self.waiting[i].from:reply(requests.results(nil, CLOSED))
    end
end

M.callbacks = callbacks

-- The object through which events are pushed ----------------------------------------------------

--- A queue is the definition of its producer, for stagehost.start, a pipeline or a supervisor; its fields are plain
--- values, so that it can be sent in messages, and the callbacks are those of its metatable.
---@class stagehost.Queue : stagehost.Definition
---@field stage? stagehost.Stage the producer, if `start` has started it; consumers subscribe to it
---@field name? string
---@field limit? integer
---@field id? string unique in the host
local Queue = tables.copy(callbacks)
Queue.__index = Queue

-- A metatable held by a module travels by name; otherwise every worker would get copies of its methods.
M.methods = Queue

function Queue:__tostring()
    return ("queue<%s>"):format(self.name or self.stage and tostring(self.stage) or self.id)
end

--- Starts the producer.
---@param options? table as for stagehost.start: name, worker, dispatcher, ...
---@return stagehost.Queue? # the queue itself; nil if the start failed
---@return string? message
---@return any reason
function Queue:start(options)
    local stage, message, reason = stagehost.start(self, options)
    if not stage then
        return nil, message, reason
    end
    self.stage = stage
    return self
end

local function ask(self, what, fields)
    local stage = self.stage or self.id and core.members(group_of(self.id))[1]
        or self.name and stagehost.whereis(self.name)
    if not stage then
        return nil, self.name and CLOSED or "the queue has not been started, or is closed"
    end
    return requests.ask(stage, "queue", what, fields)
end

local function check_event(event)
    if event == nil then
        errors.raise("invalid_event", "queue: nil can't be an event")
    end
end

--- Adds an event. Waits while the queue holds `limit` events or more; pushes that wait are accepted
--- in order. Returns true if the event will be delivered, or nil and why if the queue has ended.
---@param event any
---@return boolean? accepted
---@return string? message
---@return any reason
function Queue:push(event)
    check_event(event)
    return ask(self, "push", { events = { event } })
end

--- Adds all events of a list in one push: it is one message, and is accepted as a whole when there is
--- room for the first event.
---@param events any[]
---@return boolean? accepted
---@return string? message
---@return any reason
function Queue:push_all(events)
    local _, problem = checks.list(events)
    if problem then
        errors.raise("invalid_event", "queue: the events %s", problem)
    end
    return ask(self, "push", { events = tables.copy(events) })
end

--- Adds an event if there is room now, and returns whether there was. Returns nil and why if the queue has ended.
---@param event any
---@return boolean? accepted
---@return string? message
---@return any reason
function Queue:try_push(event)
    check_event(event)
    return ask(self, "try_push", { events = { event } })
end

--- Ends the producer normally once all that was pushed is delivered. Pushes that wait are accepted.
---@return boolean? ok nil if it has ended already
---@return string? message
---@return any reason
function Queue:close()
    return ask(self, "close")
end

--- Returns how many events wait, as far as is known (up to a quarter of the limit may be gone already), and how
--- many pushes wait for room.
---@return { held: integer, limit: integer, waiting: integer }?
---@return string? message
---@return any reason
function Queue:stats()
    return ask(self, "stats")
end

local schema = {
    limit = checks.integer(1),
    name = checks.typed "string",
}

-- Objects made in this Lua state.
local n_made = 0

local function new_id()
    n_made = n_made + 1
    return ("%d.%d"):format(core.worker(), n_made)
end

--- A queue: a producer that events are pushed into, with back-pressure for the stages that push.
---
---     local jobs = stagehost.source.queue { limit = 1000, name = "jobs" }
---     jobs:start()                           -- or stagehost.start(jobs), or a pipeline { jobs, ... }
---     consumer:subscribe { to = jobs.stage }
---     jobs:push { id = 1 }                   -- waits while 1000 events are waiting
---     jobs:close()                           -- ends when all are delivered
---
--- Other stages, on any worker, push through an object of their own, made from the handle or the
--- name of the producer: `stagehost.source.queue(handle)`, `stagehost.source.queue "jobs"`. An
--- object that came in a message is made usable again in the same way.
---@param options? { limit?: integer, name?: string }|stagehost.Stage|string
---@return stagehost.Queue
function M.new(options)
    if checks.is_stage(options) then
        return setmetatable({ stage = options }, Queue)
    elseif type(options) == "string" then
        return setmetatable({ name = options }, Queue)
    elseif type(options) == "table" and (checks.is_stage(options.stage) or options.id) then
        return setmetatable(tables.copy(options), Queue)
    elseif options ~= nil and type(options) ~= "table" then
        errors.raise("invalid_option",
            "source.queue: expected options, a stage handle or a name, got %s",
            checks.show(options))
    end
    local given = checks.apply(schema, options or {}, "source.queue")
    local queue = { limit = given.limit, name = given.name, id = new_id() }
    return stagehost.producer(setmetatable(queue, Queue))
end

return M
