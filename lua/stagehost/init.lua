-- SPDX-License-Identifier: MIT

--- stagehost: demand-driven stages. Define stages, start them, subscribe them to each other:
---
---     local stagehost = require "stagehost"
---     local counter = stagehost.start(Counter, { name = "counter" })
---     stagehost.start(Printer, { subscribe_to = { { to = counter, max_demand = 10 } } })
---
--- Functions marked "waits" suspend the calling stage alone; they can be called in any callback of
--- a stage and in the script itself, which is a stage too.
local await = require "stagehost.await"
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local definition = require "stagehost.options.definition"
local errors = require "stagehost.options.errors"
local failed_starts = require "stagehost.engine.failed_starts"
local joins = require "stagehost.messages.joins"
local lazy = require "stagehost.engine.lazy"
local nearest = require "stagehost.options.nearest"
local options = require "stagehost.options"
local subscriptions = require "stagehost.options.subscription"
local tables = require "stagehost.options.tables"

--- Fields with a file of their own are described in that file.
---@class stagehost
---@field source table definitions of producers that read: files, lists, timers
---@field sink table definitions of consumers that write
---@field codec table events to bytes and back
---@field text stagehost.text operators on lists of strings: lines, fields, patterns, counts
---@field zip fun(opts?: table): stagehost.Definition lists of one event of each of its producers
---@field merge fun(opts?: table): stagehost.Definition the events of all its producers, as they come or sorted
---@field broker fun(opts?: table): stagehost.Definition subscribes its consumers to all its producers
---@field broker_add fun(broker: any, producer?: stagehost.Stage): true?, string?, any waits
---@field broker_remove fun(broker: any, stage?: stagehost.Stage): true?, string?, any waits
---@field broker_members fun(broker: any): table?, string?, any waits
---@field map fun(f: fun(event: any): any): stagehost.Definition a stage that emits f(event)
---@field filter fun(f: fun(event: any): boolean): stagehost.Definition emits the events for which f(event) is true
---@field reject fun(f: fun(event: any): boolean): stagehost.Definition emits those for which it is false
---@field flat_map fun(f: fun(event: any): any): stagehost.Definition emits all elements of the list f(event)
---@field tap fun(f: fun(event: any)): stagehost.Definition calls f(event), and emits the event
---@field each fun(f: fun(event: any)): stagehost.Definition calls f(event), at the end of a pipeline
---@field reduce fun(initial: any, f: fun(result: any, event: any): any): stagehost.Definition one value of all events
---@field count fun(key?: string | fun(event: any): any): stagehost.Definition how many there are of each
---@field batch fun(n: integer, ms?: integer | string): stagehost.Definition lists of n events
---@field task fun(f: any, ...): stagehost.Task?, string?, any runs f(...) on a process of its own
---@field consumer_supervisor stagehost.ConsumerSupervisor consumers that start a child for every event
---@field supervisor table defines processes that start stages, and start them again when they crash
---@field pipeline table declares stages and their subscriptions as data, supervised
---@field dead_letters fun(opts?: table): stagehost.Definition a producer of events that others could not handle
---@field uv table libuv, bound to this worker's loop
local M = {}

M._VERSION = core.version

local noreply, ignore = core.answers()

--- Returned by handle_call in order to answer later.
M.noreply = noreply

--- Returned by init: the stage is not started, and that is no error.
M.ignore = ignore

-- Definitions ------------------------------------------------------------------------------------

--- Defines a stage that emits events.
---@param def stagehost.Producer
---@return stagehost.Definition
function M.producer(def)
    return definition.new("producer", def)
end

--- Defines a stage that takes events.
---@param def stagehost.Consumer
---@return stagehost.Definition
function M.consumer(def)
    return definition.new("consumer", def)
end

--- Defines a stage that takes events and emits others.
---@param def stagehost.ProducerConsumer
---@return stagehost.Definition
function M.producer_consumer(def)
    return definition.new("producer_consumer", def)
end

--- Defines a stage that has no events: a task, a registry, a supervisor.
---@param def stagehost.Process
---@return stagehost.Definition
function M.process(def)
    return definition.new("process", def)
end

-- Starting and ending ----------------------------------------------------------------------------

--- Starts a stage and waits until its init has returned. Mistakes in the options raise an error. A failed start
--- is logged if the script drops all its results.
---@param def stagehost.Definition
---@param opts? stagehost.StartOptions
---@return stagehost.Stage? stage
---@return string? message why it did not start
---@return any reason for programs: "already_started", "ignore", the reason init stopped with
function M.start(def, opts)
    failed_starts.check(opts)
    local request = options.start(def, opts, core.workers())
    joins.prepare(request)
    local started, message, reason = core.start(def, request)
    if not started then
        failed_starts.note(message, reason)
        return nil, message, reason
    end
    failed_starts.forget()
    joins.keep(request)
    return request.stage
end

--- Sets defaults for all subscriptions that are made from now on, on all workers of the host. (The option
--- `--max-demand` of the command does so before the script runs.)
---@param given stagehost.Defaults
function M.defaults(given)
    local max_demand = options.defaults(given).max_demand
    if max_demand then
        core.set_max_demand(max_demand)
    end
end

--- Returned by a callback, ends its stage; before that, `events` are emitted and, in handle_call, `reply`
--- is sent.
---@param reason? stagehost.Reason default "normal"
---@param events? any[]
---@param reply? any
---@return table
M.stop = core.stop

--- Called by handle_events, and put among its results: the i-th event of this call could not be handled, all others
--- are. `on_error` "skip" and "dead_letter" then take this event alone, at any max_demand. With "stop" and "retry" it
--- is as if the callback had raised the first reason, but what follows the last try takes these events alone.
---
---     for i, line in ipairs(lines) do
---         local record, problem = parse(line)
---         records[#records + 1] = record or stagehost.failed(i, problem)
---     end
---     return records
---
---@param i integer from 1
---@param reason? any as of an error
---@return table
M.failed = core.failed

--- Called by handle_events, and returned: its batch has failed and is to be tried again after this time, in place of
--- the delay that `on_error = { "retry", ... }` gives, which the stage must have. It counts as one of its tries.
---@param ms number
---@param reason? any as of an error
---@return table
M.retry_in = core.retry_in

--- Returned by handle_subscribe of a producer: the consumer is subscribed to all of these producers instead, with
--- the options it gave, and only then cancelled here with the reason "redirected". So it is never without a
--- producer, and this cancel does not end it. A target that does not exist is reported as for any
--- subscription. `cancel` replaces the cancel mode that the consumer gave.
---@param producers (stagehost.Stage | string)[] may be empty
---@param opts? { cancel?: "permanent" | "transient" | "temporary" }
---@return table
function M.redirect(producers, opts)
    return core.redirect(subscriptions.redirect(producers, opts))
end

--- The stage whose callback is running; nil outside callbacks of stages, as in those of luv.
---@return stagehost.Stage?
M.self = core.self

--- The stage that was started with this name and is alive.
---@param name string
---@return stagehost.Stage?
M.whereis = core.whereis

--- The names of all stages that are alive.
---@return string[] names sorted
M.names = core.names

--- Waits until there is a stage with that name.
---@param name string
---@param timeout_ms? stagehost.Duration default: none
---@return stagehost.Stage? stage
---@return string? message
---@return any reason "timeout"
M.await_name = core.await_name

--- Puts the current stage into a group, at most once. It leaves the group when it ends.
---@param group string
M.enter = core.enter

--- Takes the current stage out of a group.
---@param group string
---@return boolean whether it was in it
M.leave = core.leave

--- The stages in a group, of all workers, in the order in which they entered it.
---@param group string
---@return stagehost.Stage[]
M.members = core.members

-- Links and monitors -----------------------------------------------------------------------------

--- Links the current stage with another one: when one of them ends, the other gets an exit signal
--- with its reason. A stage with handle_exit has that called; any other ends with the same reason, unless
--- that is "normal". Linking with a stage that has ended gives the signal "noproc".
---@param stage stagehost.Stage
M.link = core.link

--- Removes a link: no signal of it arrives any more.
---@param stage stagehost.Stage
M.unlink = core.unlink

--- Has handle_down(self, stage, reason, ref) of the current stage called when `stage` ends.
---@param stage stagehost.Stage
---@return integer ref
M.monitor = core.monitor

--- Takes a monitor back: handle_down is not called for it any more.
---@param ref integer
---@return boolean whether the call was still to come
M.demonitor = core.demonitor

-- Demand -----------------------------------------------------------------------------------------

--- Asks the producer of a subscription for `n` more events; 0 asks for nothing. For subscriptions whose
--- consumer returned "manual" from handle_subscribe; for all others the host asks.
---@param subscription stagehost.Subscription
---@param n integer at least 0
M.ask = core.ask

--- Stops a subscription for a while, from its consumer or from anywhere: nothing more is asked for, and
--- events, notifications and a graceful end that are on their way wait, in order. The consumer's other
--- subscriptions go on. A batch that handle_events has begun is handled. The pause takes effect at once, or when it
--- arrives on the consumer's worker. A drain of the host resumes it; a consumer that asks by hand may still ask.
---@param subscription stagehost.Subscription
M.pause = core.pause

--- Lets a paused subscription go on, beginning with what has waited.
---@param subscription stagehost.Subscription
M.resume = core.resume

--- Leaves a producer without ending the consumer, whatever the cancel mode. Does not wait: events that
--- were sent before are still handled, then both sides get handle_cancel.
---@param subscription stagehost.Subscription
---@param reason? stagehost.Reason default "normal"
M.unsubscribe = core.unsubscribe

-- Hashes ----------------------------------------------------------------------------------------

--- The place of a value among n places, by its hash: the same on every worker, in every run and on every
--- machine. A partition dispatcher spreads events by it. Numbers, strings and booleans are hashed by value
--- (1 and 1.0 are equal, and so is a boxed 1LL), lists and records by their contents, in any order of keys, handles by
--- the stage or subscription. Other values, and tables that contain themselves, have no hash: an error is raised.
---@param value any
---@param n integer at least 1
---@return integer place 0 .. n - 1
M.hash = core.hash

-- Waiting and time -------------------------------------------------------------------------------

--- Suspends the current stage for some time.
---@param ms stagehost.Duration
M.sleep = core.sleep

--- Calls f(..., callback), waits until the callback is called, and returns its arguments. If `f`
--- fails at once (nil, message, name, as in luv), returns these values.
---@param f function
---@param ... any
---@return any ...
M.await = await

--- Sends the current stage a message after some time; the message arrives in handle_info.
---@param ms stagehost.Duration
---@param message any
---@return stagehost.Timer
M.send_after = core.send_after

--- Sends the current stage a message again and again.
---@param ms stagehost.Duration at least 1
---@param message any
---@return stagehost.Timer
M.every = core.every

--- The time in milliseconds, with fractions, since some moment: by the clock of the host, which may be a virtual one
--- (`--virtual-clock`). For measuring how long something takes.
---@return number
M.now = core.now

-- The host ---------------------------------------------------------------------------------------

--- How many workers the host has.
---@return integer
M.workers = core.workers

--- The index of the worker that the caller runs on, from 0.
---@return integer
M.worker = core.worker

--- Whether the host is being drained: producers are being ended gracefully.
---@return boolean
M.is_draining = core.is_draining

--- Sets the exit status of the command, instead of the one that the loss ledger would give. The ledger is
--- still reported. For scripts that decide for themselves, such as test runners.
---@param status integer 0 .. 255
M.exit_status = core.set_exit_status

local LEVELS = { error = true, warn = true, info = true, debug = true, trace = true }

--- Writes to the host's log. A zero byte in the text is written as "\0".
---@param level "error" | "warn" | "info" | "debug" | "trace"
---@param format string as for string.format if there are further arguments, else the text itself
---@param ... any
function M.log(level, format, ...)
    if not LEVELS[level] then
        errors.raise("invalid_argument", "log level must be one of error, warn, info, debug, trace, got %s",
            checks.show(level))
    end
    core.log(level, select("#", ...) > 0 and format:format(...) or tostring(format))
end

-- Methods of handles that are written in Lua --------------------------------------------------

--- Subscribes and waits until the request is on its way (not until it is accepted: a refusal
--- arrives as handle_cancel). Takes `to` on a consumer and `from` on a producer.
---@param self stagehost.Stage
---@param opts stagehost.SubscribeOptions
---@return stagehost.Subscription? subscription
---@return string? message
---@return any reason
function core.stage.subscribe(self, opts)
    local consumer, checked = subscriptions.link(self, opts)
    return core.subscribe(consumer, checked, true)
end

--- Subscribes without waiting.
---@param self stagehost.Stage
---@param opts stagehost.SubscribeOptions
function core.stage.async_subscribe(self, opts)
    local consumer, checked = subscriptions.link(self, opts)
    core.subscribe(consumer, checked, false)
end

core.stage.join = joins.join

-- Parts loaded at first use --------------------------------------------------------------------

lazy.fields(M, {
    source = "stagehost.source",
    sink = "stagehost.sink",
    codec = "stagehost.codec",
    text = "stagehost.text",
    zip = { "stagehost.streams.zip", "new" },
    merge = { "stagehost.streams.merge", "new" },
    broker = { "stagehost.broker", "new" },
    broker_add = { "stagehost.broker", "add" },
    broker_remove = { "stagehost.broker", "remove" },
    broker_members = { "stagehost.broker", "members" },
    map = { "stagehost.functions.steps", "map" },
    filter = { "stagehost.functions.steps", "filter" },
    reject = { "stagehost.functions.steps", "reject" },
    flat_map = { "stagehost.functions.steps", "flat_map" },
    tap = { "stagehost.functions.steps", "tap" },
    each = { "stagehost.sink.each", "new" },
    reduce = { "stagehost.functions.reduce", "reduce" },
    count = { "stagehost.functions.reduce", "count" },
    batch = { "stagehost.functions.batch", "new" },
    task = "stagehost.task",
    supervisor = "stagehost.supervisor",
    consumer_supervisor = "stagehost.consumer_supervisor",
    pipeline = "stagehost.pipeline",
    dead_letters = "stagehost.source.dead_letters",
    uv = "luv",
}, function(key)
    local fields = tables.copy(M, getmetatable(M).places)
    local meant = type(key) == "string" and nearest(key, fields, true)
    errors.raise("unknown_field", "stagehost has no %s%s", tostring(key),
        meant and (": did you mean %s?"):format(meant) or (" (it has %s)"):format(
            table.concat(tables.sorted_keys(fields), ", ")))
end)

--- Whether a value is an error object, the form in which a crash is reported.
---@param value any
---@return boolean
M.is_error = errors.is

return M
