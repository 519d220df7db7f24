-- SPDX-License-Identifier: MIT

--- Several consumer_supervisors behind one handle, one for each worker as far as they go.
---
--- The stage of the handle starts them, subscribes them to what it is subscribed to, and asks them
--- what it is asked. It is a consumer itself, but leaves its producers at once.
local callbacks_of_one = require "stagehost.consumer_supervisor.callbacks"
local core = require "stagehost.core"
local guard = require "stagehost.messages.guard"
local notes = require "stagehost.messages.note"
local reasons = require "stagehost.messages.reason"
local requests = require "stagehost.messages.request"
local shutdown = require "stagehost.supervisor.shutdown"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local KIND = "consumer_supervisor"

local callbacks = {}

-- Shares as equal as they can be: 10 children on 4 shards are 3, 3, 2, 2.
local function share(total, n, i)
    return total and math.floor(total / n) + (i <= total % n and 1 or 0)
end

local function settings_of(settings, i)
    local own = tables.copy(settings)
    own.shards, own.max_children = nil, share(settings.max_children, settings.shards, i)
    own.is_shard = true
    return own
end

function callbacks.init(self)
    local settings, n_workers = self.settings, stagehost.workers()
    self.shards, self.by_id, self.next = {}, {}, 0
    self.has_source_ended = false -- normally, and nothing has happened since
    for i = 1, settings.shards do
        local def = callbacks_of_one.definition(settings_of(settings, i), {
            end_with_last = self.end_with_last,
        })
        local stage, message, reason = stagehost.start(def, {
            worker = (core.worker() + i - 1) % n_workers,
            link = true,
        })
        if not stage then
            return stagehost.stop(reason or message)
        end
        self.shards[i], self.by_id[stage.id] = stage, stage
    end
end

-- Subscribes all shards. None asks before the producer knows all of them: one that has few events could
-- have ended, and for who comes late it would not exist.
local function subscribe_all(shards, producer, opts)
    local subscriptions = {}
    for i, shard in ipairs(shards) do
        subscriptions[i] = shard:subscribe(tables.copy({ to = producer }, opts))
    end
    for _, shard in ipairs(shards) do
        requests.ask(shard, KIND, "reach", { producer = producer })
    end
    for i, subscription in pairs(subscriptions) do
        shards[i]:send(notes.new("release", { subscription = subscription.id }))
    end
end

--- The shards subscribe instead; the stage stays subscribed until they are, and asks for nothing.
function callbacks.handle_subscribe(self, _, opts, from)
    local shards, stage, producer = self.shards, self.stage, from.producer
    stagehost.task(function()
        subscribe_all(shards, producer, opts)
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

function callbacks.handle_exit(self, stage, reason)
    if not stage or not self.by_id[stage.id] then
        return not reasons.is_normal(reason) and stagehost.stop(reason) or nil
    end
    self.by_id[stage.id] = nil
    if not reasons.is_normal(reason) or next(self.by_id) == nil then
        return stagehost.stop(reason)
    end
end

-- Requests --------------------------------------------------------------------------------------

-- The results of the first shard that has some; else of the last.
local function ask_until(self, request, first)
    local result, message, reason
    for i = 0, #self.shards - 1 do
        result, message, reason = requests.forward(self.shards[(first + i) % #self.shards + 1], request)
        if result or reason ~= "overloaded" and reason ~= "not_found" and reason ~= nil then
            break
        end
    end
    return requests.results(result, message, reason)
end

local answers = {}

--- The shards take turns; one that is overloaded passes its turn on.
function answers.start_child(self, request)
    self.next = (self.next + 1) % #self.shards
    return ask_until(self, request, self.next)
end

function answers.terminate_child(self, request)
    return ask_until(self, request, 0)
end

function answers.lookup(self, request)
    return ask_until(self, request, 0)
end

function answers.which_children(self, request)
    local all = {}
    for _, shard in ipairs(self.shards) do
        for _, entry in ipairs(requests.forward(shard, request) or {}) do
            all[#all + 1] = entry
        end
    end
    return requests.results(all)
end

function answers.count_children(self, request)
    local sum = { specs = 1, active = 0, workers = 0, supervisors = 0 }
    for _, shard in ipairs(self.shards) do
        local count = requests.forward(shard, request)
        for _, key in ipairs { "active", "workers", "supervisors" } do
            sum[key] = sum[key] + (count and count[key] or 0)
        end
    end
    return requests.results(sum)
end

-- Shards may take their time: a task beside the stage waits for them, and the stage goes on.
for what, answer in pairs(answers) do
    answers[what] = function(self, request, from)
        stagehost.task(function()
            from:reply(answer(self, request))
        end)
        return stagehost.noreply
    end
end

function callbacks.handle_call(self, message, from)
    self.has_source_ended = false
    return requests.answer(KIND, answers, self, message, from)
end

-- The end ---------------------------------------------------------------------------------------

--- Shards that have lost their producers too end by themselves.
function callbacks.terminate(self)
    local alive = {}
    for _, shard in pairs(self.by_id) do
        alive[#alive + 1] = shard
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
---@param settings table as template.settings made them, with shards
---@param stage_options table options of the stage itself
---@return stagehost.Definition
function M.definition(settings, stage_options)
    return stagehost.consumer(tables.copy(callbacks, stage_options, { settings = settings, is_supervisor = true }))
end

return M
