-- SPDX-License-Identifier: MIT

--- Several consumer_supervisors behind one handle, one for each worker as far as they go.
---
--- The stage of the handle starts the supervisors, subscribes them to the producers it is subscribed to, and
--- passes requests on to them. It is a consumer itself, but leaves its producers at once.
local callbacks_of_one = require "stagehost.consumer_supervisor.callbacks"
local core = require "stagehost.core"
local guard = require "stagehost.messages.guard"
local intensity = require "stagehost.supervisor.intensity"
local notes = require "stagehost.messages.note"
local reasons = require "stagehost.messages.reason"
local requests = require "stagehost.messages.request"
local shard_answers = require "stagehost.consumer_supervisor.shard_answers"
local shutdown = require "stagehost.supervisor.shutdown"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local KIND = "consumer_supervisor"

local callbacks = {}

-- Makes shares as equal as possible: 10 children on 4 shards are 3, 3, 2, 2.
local function share(total, n, i)
    return total and math.floor(total / n) + (i <= total % n and 1 or 0)
end

local function settings_of(settings, i)
    local own = tables.copy(settings)
    own.shards, own.max_children = nil, share(settings.max_children, settings.shards, i)
    own.is_shard = true
    return own
end

-- Subscribes shards (stages by number) to a source. None asks before the producer knows all of them: a producer with
-- few events could have ended by then, and a late subscriber would find it gone.
local function subscribe_shards(self, shards, source)
    local subscriptions = {}
    for i, shard in pairs(shards) do
        subscriptions[i] = shard:subscribe(tables.copy(source.opts, {
            to = source.to,
            partition = self.settings.partitions and self.settings.partitions[i],
        }))
    end
    for i, subscription in pairs(subscriptions) do
        source.to = subscription.producer or source.to
        requests.ask(shards[i], KIND, "reach", { producer = subscription.producer })
    end
    for i, subscription in pairs(subscriptions) do
        shards[i]:send(notes.new("release", { subscription = subscription.id }))
    end
end

local function add_source(self, to, opts)
    local source = { to = to, opts = opts }
    table.insert(self.sources, source)
    return source
end

-- The handle can't subscribe to a producer with partitions, so the shards subscribe at once.
local function subscribe_to_partitions(self, list)
    local added = {}
    for i, opts in ipairs(list) do
        added[i] = add_source(self, opts.to, opts)
    end
    local shards = { unpack(self.shards) }
    stagehost.task(function()
        for _, source in ipairs(added) do
            subscribe_shards(self, shards, source)
        end
    end)
end

-- Starts the shard with a number, on its worker.
local function start_shard(self, i)
    local def = callbacks_of_one.definition(settings_of(self.settings, i), {
        end_with_last = self.end_with_last,
    })
    local stage, message, reason = stagehost.start(def, { worker = self.workers[i], link = true })
    if not stage then
        return nil, reason or message
    end
    self.shards[i], self.by_id[stage.id] = stage, i
    return stage
end

function callbacks.init(self)
    local settings, n_workers = self.settings, stagehost.workers()
    self.shards, self.by_id, self.next, self.workers = {}, {}, 0, {}
    self.sources = {} -- the sources subscribed to: { to, opts }
    self.restarts, self.restarting = {}, {} -- by number; by number: the calls that wait for the restart
    self.intensity = intensity.new()
    self.has_source_ended = false -- normally, and nothing has happened since
    for i = 1, settings.shards do
        self.workers[i], self.restarts[i] = (core.worker() + i - 1) % n_workers, 0
        local stage, reason = start_shard(self, i)
        if not stage then
            return stagehost.stop(reason)
        end
    end
    if settings.subscribe_to then
        subscribe_to_partitions(self, settings.subscribe_to)
    end
end

--- Has the shards subscribe instead; the stage stays subscribed until they are, and asks for nothing. If
--- they take partitions, it leaves first, because there is no partition for it.
function callbacks.handle_subscribe(self, _, opts, from)
    local stage, source = self.stage, add_source(self, from.producer, opts)
    if self.settings.partitions then
        stagehost.unsubscribe(from)
    end
    local shards = { unpack(self.shards) } -- a shard that is started meanwhile knows the source
    stagehost.task(function()
        subscribe_shards(self, shards, source)
        stage:send(notes.new("leave", { subscription = from }))
    end)
    return "manual"
end

local takers = {}

function takers.leave(_, note)
    stagehost.unsubscribe(note.subscription)
end

function callbacks.handle_info(self, message)
    return notes.take(KIND, takers, self, message)
end

function callbacks.handle_cast(_, message)
    guard.message(KIND, message)
end

function callbacks.handle_cancel(self, reason)
    self.has_source_ended = reasons.is_normal(reason)
end

function callbacks.handle_events() end

-- Forgets sources that have ended. With the last of those that decide a shard's end, all is over.
local function drop_ended_sources(self)
    for i = #self.sources, 1, -1 do
        local source = self.sources[i]
        if type(source.to) ~= "string" and not source.to:is_alive() then
            table.remove(self.sources, i)
            self.is_over = self.is_over or source.opts.cancel ~= "temporary"
        end
    end
    return self.is_over and #self.sources == 0
end

local function answer_all(calls, ...)
    for _, call in ipairs(calls or {}) do
        call:reply(requests.results(...))
    end
end

-- Starts one shard again, subscribed as before. Returns false if there is nothing for it to do.
local function revive(self, i)
    local waiting = self.restarting[i]
    if drop_ended_sources(self) then
        self.restarting[i] = nil
        answer_all(waiting, nil, "its producers have ended", "ended")
        return false
    end
    local stage, reason = start_shard(self, i)
    self.restarting[i], self.restarts[i] = nil, self.restarts[i] + 1
    if not stage then
        answer_all(waiting, nil, "the shard could not be started", reason)
        return stagehost.stop(reason)
    end
    local sources = { unpack(self.sources) }
    stagehost.task(function()
        for _, source in ipairs(sources) do
            subscribe_shards(self, { [i] = stage }, source)
        end
        answer_all(waiting, stage)
    end)
end

-- Starts a shard that has crashed, or was killed, again, though not for ever.
local function wants_restart(self, i, reason)
    return self.restarting[i] or not reasons.is_clean(reason) and self.intensity:add(stagehost.uv.hrtime() / 1e9)
end

function callbacks.handle_exit(self, stage, reason)
    local i = stage and self.by_id[stage.id]
    if not i then
        return not reasons.is_normal(reason) and stagehost.stop(reason) or nil
    end
    self.by_id[stage.id] = nil
    local result
    if wants_restart(self, i, reason) then
        result = revive(self, i)
        if result ~= false then
            return result
        end
        reason = "normal"
    end
    if not reasons.is_normal(reason) or next(self.by_id) == nil then
        return stagehost.stop(reason)
    end
end

function callbacks.handle_call(self, message, from)
    self.has_source_ended = false
    return requests.answer(KIND, shard_answers, self, message, from)
end

-- The end ---------------------------------------------------------------------------------------

--- Ends the shards; those that have lost their producers too end by themselves.
function callbacks.terminate(self)
    local alive = {}
    for _, i in pairs(self.by_id) do
        alive[#alive + 1] = self.shards[i]
    end
    if not self.has_source_ended and not stagehost.is_draining() then
        shutdown.all(alive, "infinity")
        return
    end
    for _, shard in ipairs(alive) do
        shard:join()
    end
end

M.callbacks = callbacks

--- The definition of the stage of the handle.
---@param settings table as template.settings made it, with shards
---@param stage_options table options of the stage itself
---@return stagehost.Definition
function M.definition(settings, stage_options)
    return stagehost.consumer(tables.copy(callbacks, stage_options, { settings = settings, is_supervisor = true }))
end

return M
