-- SPDX-License-Identifier: MIT

--- Every option of stages, subscriptions and dispatchers: its name, its bounds and its default. A new option
--- is an entry here, with its line of the class above; everything else in lua/ reads this list. (In C it is a
--- field of a struct and a line that reads it: see bindings/README.md.)
---
--- An entry is what checks.schema reads, `{ type, min =, max =, words =, default = }`, and
---
---     kinds       of a stage: the kinds of stages that have it; nil: all
---     at          of a stage: "start", not in what init returns; "starter": nor in a definition
---     decided_by  of a stage: "pipeline" or "streams" (zip and merge) sets it, and a script may not give it
---     is_hidden   of a subscription: handle_subscribe does not get it
---
--- The type "ms" is a duration: an integer of milliseconds, or a string with its unit ("250ms", "10s", "5m", "1h").
---
--- `default` is for readers, and for code that has to know it; the core applies it.
local core = require "stagehost.core"

local M = {}

-- Bounds that the C half needs too are defined in its headers.
local constants = core.constants

-- The longest time that timers take.
local MAX_MS = 2 ^ 31
local MAX_COUNT = 2 ^ 31
local MIN_INT32, MAX_INT32 = -2 ^ 31, 2 ^ 31 - 1

local function set(words)
    local result = {}
    for word in words:gmatch("%S+") do
        result[word] = true
    end
    return result
end

local PRODUCER = set "producer"
local PRODUCES = set "producer producer_consumer"
local CONSUMES = set "consumer producer_consumer"
local HAS_EVENTS = set "producer consumer producer_consumer"

local CANCEL_MODES = { "permanent", "transient", "temporary" }

---@alias stagehost.Duration integer | string milliseconds, or a number with its unit: "250ms", "1.5s", "5m", "1h"

-- Stages ----------------------------------------------------------------------------------------------

---@class stagehost.ProducerOptions
---@field dispatcher? stagehost.DispatcherOption
---@field buffer_size? integer | "infinity" default 10000; "infinity" on a producer_consumer
---@field buffer_keep? "last" | "first"
---@field discard_buffer_when_no_consumers? boolean
---@field demand? "forward" | "accumulate"
---@field polling_interval? stagehost.Duration milliseconds: handle_demand is called again while demand is unanswered
---@field demand_by? boolean handle_demand is told which subscriptions have asked
---@field rate? stagehost.Rate of all events it sends
---@field await_consumers? boolean a graceful end also waits while the stage has no consumers yet
---@field dead_letter? stagehost.Stage | string for events that its hash refuses

--- One producer, or a list of them. The first element of a table of options may stand for `to`:
--- `subscribe_to = { "name", max_demand = 10 }`.
---@alias stagehost.SubscribeTo
---| stagehost.Stage | string | stagehost.SubscribeOptions
---| (stagehost.Stage | string | stagehost.SubscribeOptions)[]

---@class stagehost.ConsumerOptions
---@field subscribe_to? stagehost.SubscribeTo
---@field max_demand? integer of its subscriptions that do not give one
---@field min_demand? integer of its subscriptions that give neither min_demand nor max_demand
---@field cancel? stagehost.CancelMode of its subscriptions that do not give one
---@field end_with_last? boolean it ends when its last producer has ended normally, not with the first
---@field on_error? stagehost.OnError default "stop"
---@field dead_letter? stagehost.Stage | string for events that it could not handle
---@field packed? boolean handle_events gets strings that travel packed as a stagehost.Strings, not as a table

--- Any of these may also be given in the definition, or returned by init.
---@class stagehost.InitOptions : stagehost.ProducerOptions, stagehost.ConsumerOptions

---@class stagehost.StartOptions : stagehost.InitOptions
---@field name? string unique in the host
---@field args? any for init
---@field worker? integer | "any" default: the starter's
---@field link? boolean links it with the stage that starts it, from its first moment
---@field supervised? boolean the starter deals with its failures: logged, not counted as the host's
M.stage = {
    name = { "name", at = "start" },
    args = { "any", at = "start", decided_by = set "streams" },
    worker = { "any", at = "start" }, -- options.start checks it, since it knows how many workers there are
    link = { "boolean", at = "starter", decided_by = set "pipeline" },
    supervised = { "boolean", at = "starter", decided_by = set "pipeline" },

    dispatcher = { "dispatcher", kinds = PRODUCES, default = "demand" },
    buffer_size = { "size", kinds = PRODUCES, default = constants.buffer_size },
    buffer_keep = { "word", words = { "last", "first" }, kinds = PRODUCES, default = "last" },
    discard_buffer_when_no_consumers = { "boolean", kinds = PRODUCES, default = false },
    demand = { "word", words = { "forward", "accumulate" }, kinds = PRODUCER, default = "forward" },
    polling_interval = { "ms", min = 1, kinds = PRODUCER },
    demand_by = { "boolean", kinds = PRODUCES, default = false, decided_by = set "streams" },
    rate = { "rate", kinds = PRODUCES },
    await_consumers = { "boolean", kinds = PRODUCES, default = false, decided_by = set "pipeline" },

    subscribe_to = { "subscribe_to", kinds = CONSUMES },
    max_demand = { "integer", min = 1, kinds = CONSUMES },
    min_demand = { "integer", min = 0, kinds = CONSUMES },
    cancel = { "word", words = CANCEL_MODES, kinds = CONSUMES, decided_by = set "pipeline" },
    end_with_last = { "boolean", kinds = CONSUMES, default = false, decided_by = set "pipeline streams" },
    on_error = { "on_error", kinds = CONSUMES, default = "stop", decided_by = set "streams" },
    dead_letter = { "stage", kinds = HAS_EVENTS, decided_by = set "streams" },
    packed = { "boolean", kinds = CONSUMES, default = false, decided_by = set "streams" },
}

-- Subscriptions ---------------------------------------------------------------------------------------

--- The default is the mode that the consumer gives for all its subscriptions, else "permanent", or "transient" if
--- the consumer has a handle_end.
---@alias stagehost.CancelMode "permanent" | "transient" | "temporary"

---@class stagehost.SubscribeOptions
---@field to? stagehost.Stage | string the producer
---@field from? stagehost.Stage the consumer, when a producer is told to subscribe it
---@field max_demand? integer default: that of its consumer, else of stagehost.defaults, else 1000
---@field min_demand? integer default max_demand / 2
---@field cancel? stagehost.CancelMode
---@field partition? integer | string at a "partition" dispatcher
---@field rate? stagehost.Rate of the events that handle_events is given
---@field batch? stagehost.Batch
---@field selector? fun(event: any): boolean at a "broadcast" dispatcher
---@field ack? boolean events whose consumer dies before handle_events has returned go back to the producer
---@field max_deliver? integer with ack: after so many deliveries an event becomes a dead letter; default 5
---@field weight? integer at a "fair" dispatcher: share of the events, default 1
---@field priority? integer at a "fair" dispatcher: higher ones are served first, default 0
---@field opts? table for handle_subscribe of both sides, and for a dispatcher in Lua
---@field current? stagehost.Subscription a subscription that the new one replaces
---@field reason? stagehost.Reason the reason that `current` is cancelled with
M.subscription = {
    to = { "stage", is_hidden = true },
    from = { "handle", is_hidden = true },
    max_demand = { "integer", min = 1, default = constants.max_demand },
    min_demand = { "integer", min = 0 },
    cancel = { "word", words = CANCEL_MODES },
    partition = { "partition" },
    selector = { "function" },
    weight = { "integer", min = 1, max = constants.max_weight, default = 1 },
    priority = { "integer", min = MIN_INT32, max = MAX_INT32, default = 0 },
    ack = { "boolean", default = false },
    max_deliver = { "integer", min = 1, max = MAX_COUNT, default = constants.max_deliver },
    rate = { "rate" },
    batch = { "batch" },
    opts = { "table" },
    current = { "subscription", is_hidden = true },
    reason = { "any", is_hidden = true },
}

--- Words from elsewhere that are not options here, and hints at what to use instead.
local BY_HAND = 'a consumer asks by hand if its handle_subscribe returns "manual"'
M.subscription_hints = {
    mode = BY_HAND,
    manual = BY_HAND,
    producer = 'the producer is given as "to"',
}

--- The second argument of stagehost.redirect.
M.redirection = {
    cancel = { "word", words = CANCEL_MODES },
}

-- The host ---------------------------------------------------------------------------------------------

--- The options of stagehost.defaults.
---@class stagehost.Defaults
---@field max_demand? integer of subscriptions for which neither they nor their consumer give one
M.defaults = {
    max_demand = { "integer", min = 1, max = MAX_COUNT },
}

-- Dispatchers -----------------------------------------------------------------------------------------

--- The options of { "broadcast", replay = n }: a late subscriber first gets the last n events that were broadcast
--- before it came, through its selector; they use up its demand. The other consumers wait until it has them.
---@class stagehost.BroadcastOptions
---@field replay? integer

--- The options of { "partition", partitions = 4 | names, hash = f }:
--- `hash`: a function, or the name of a field, which stands for a function that returns this field of the event.
--- A result that is one of the partitions (0 .. n - 1, or a name) is the partition that the event goes to; "none"
--- drops the event; in a field, "none" is a value like any other. If all partitions are numbers, events are spread by
--- any other result, as by stagehost.hash: equal results meet in one partition. That holds for numbers beyond n - 1,
--- too. Without a hash, events are spread by their own value, as in GenStage. If the hash raises, or returns nil or a
--- value that has no hash or is no name, the event is a dead letter, or is lost without a dead-letter stage: it counts
--- as unfinished. A second result of the function replaces the event.
--- `discard`: events that are queued for a partition when its last consumer leaves, or that come for it until it has
--- another one, are discarded and counted; by default they are kept for the next consumer of the partition.
--- `groups`: a partition may have several consumers, of which the one with the largest demand goes first.
--- `limit`: the number of events that may be queued for a partition without holding up the others. Above it, queued
--- events count against the demand of the others (overflow = "wait", the default), or events are discarded
--- (overflow = "discard"; keep = "last", the default, or "first").
--- `combine`: a partial reduction, before events are spread and sent to other workers.
---@class stagehost.PartitionOptions
---@field partitions integer | (integer | string)[]
---@field hash? string | fun(event: any): any, any
---@field groups? boolean
---@field discard? boolean
---@field limit? integer
---@field overflow? "wait" | "discard"
---@field keep? "last" | "first"
---@field combine? stagehost.Combine

--- The options of { "demand", max_demand = 100 }.
---@class stagehost.DemandOptions
---@field max_demand? integer the most that its consumers should ask for: more is granted, and logged
---@field shuffle_demands_on_first_dispatch? boolean
M.dispatchers = {
    demand = {
        max_demand = { "integer", min = 1 },
        shuffle_demands_on_first_dispatch = { "boolean", default = false },
    },
    fair = {},
    broadcast = {
        replay = { "integer", min = 1 },
    },
    partition = {
        partitions = { "any" }, -- options/dispatchers.lua checks it: a count, or names
        hash = { "hash" },
        groups = { "boolean", default = false },
        discard = { "boolean", default = false },
        limit = { "integer", min = 1 },
        overflow = { "word", words = { "wait", "discard" }, default = "wait" },
        keep = { "word", words = { "last", "first" }, default = "last" },
        combine = { "combine" },
    },
}

-- Values that are tables of their own -----------------------------------------------------------------

--- At most `events` in any window of `per_ms` milliseconds, evenly spread. A drain respects it.
---@class stagehost.Rate
---@field events integer
---@field per_ms stagehost.Duration
M.rate = {
    events = { "integer", min = 1 },
    per_ms = { "ms", min = 1, max = MAX_MS },
}

--- handle_events is given exactly `size` events (at most max_demand) at a time. It is given fewer only when
--- `timeout_ms` have passed since the first of them came, and before a notification, the subscription's end, and a
--- drain.
---@class stagehost.Batch
---@field size integer
---@field timeout_ms stagehost.Duration
M.batch = {
    size = { "integer", min = 1, max = MAX_COUNT },
    timeout_ms = { "ms", min = 1, max = MAX_MS },
}

--- The stage keeps an accumulator. `add` is given each event that would be dispatched, and returns the accumulator,
--- which may be a new value but not nil; `emit` makes events of it, a list or nil, and these are spread over the
--- partitions by the hash and sent. Then a new accumulator begins with the next event: the value of `init()`, or nil
--- without `init`. None of these functions may wait. If one raises, the stage ends; the events in the accumulator are
--- counted as unfinished, and so they are when the stage crashes or is killed.
--- An accumulator is emitted when it has taken `every` events, `every_ms` milliseconds after the first of them, when
--- the stage ends gracefully (after handle_end, before terminate), when a drain begins, and before a notification and
--- an info that the stage puts among its events. A timer that fires while a callback of the stage waits is dealt with
--- after that callback.
--- The demand of the consumers is what is emitted for: they never get more events than they asked for. Events that
--- an accumulator has taken answer what handle_demand was asked for, so it is asked again, and a producer_consumer asks
--- its producers again, until the consumers have what they want. Emitted events beyond demand wait in the buffer, whose
--- size has no limit by default in a stage that combines.
--- Counters: events given to the accumulator - events emitted = `combined`. The stage can't subscribe with ack, and
--- its consumers can't.
---@class stagehost.Combine
---@field init? fun(): any
---@field add fun(acc: any, event: any): any
---@field emit fun(acc: any): any[]?
---@field every? integer
---@field every_ms? integer
M.combine = {
    init = { "function" },
    add = { "function" },
    emit = { "function" },
    every = { "integer", min = 1, default = constants.combine_every },
    every_ms = { "integer", min = 1, max = MAX_MS },
}

--- The options of { "retry", times = 3 }.
---@class stagehost.Retry
---@field [1] "retry"
---@field times? integer tries after the first one, default 3
---@field delay? stagehost.Duration milliseconds before the first of them, default 100
---@field factor? number of each delay on the one before, default 2
---@field cap? integer milliseconds, the longest delay, default: none
---@field jitter? number 0 .. 1, the share of a delay that is random, default 0
---@field after? "stop" | "skip" | "dead_letter" what follows when all tries have failed, default "stop"
M.retry = {
    times = { "integer", min = 1, max = MAX_COUNT, default = constants.retry_times },
    delay = { "ms", min = 0, default = constants.retry_delay },
    factor = { "factor", default = constants.retry_factor },
    cap = { "integer", min = 1, max = MAX_MS },
    jitter = { "jitter", default = 0 },
    after = { "word", words = { "stop", "skip", "dead_letter" }, default = "stop" },
}

return M
