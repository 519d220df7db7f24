-- SPDX-License-Identifier: MIT

--- Events kept in a list, for tests and for small results.
local guard = require "stagehost.messages.guard"
local reasons = require "stagehost.messages.reason"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local callbacks = { title = "collect" }

function callbacks.init(self)
    self.events, self.n = {}, 0
    self.producers = nil -- number of subscriptions; nil: none has been made yet
    self.reason = "normal"
    self.waiting = {} -- calls "finish", answered at the end
end

function callbacks.handle_subscribe(self)
    self.producers = (self.producers or 0) + 1
end

function callbacks.handle_events(self, events)
    local all, n = self.events, self.n
    for i = 1, #events do
        all[n + i] = events[i]
    end
    self.n = n + #events
end

function callbacks.handle_cancel(self, reason)
    self.producers = self.producers - 1
    if reasons.is_normal(self.reason) then
        self.reason = reason
    end
    if self.producers == 0 and #self.waiting > 0 then
        return stagehost.stop()
    end
end

local requests = {}

--- Copies the list, because the caller's list must not grow while it is used.
function requests.events(self)
    local copy = {}
    for i = 1, self.n do
        copy[i] = self.events[i]
    end
    return copy
end

function requests.count(self)
    return self.n
end

local function result(self)
    return { events = self.events, reason = self.reason }
end

--- The result of the stage for those who join its pipeline.
function callbacks.pipeline_result(self)
    return self.events
end

function requests.finish(self, from)
    if self.producers == 0 then
        return stagehost.stop("normal", nil, result(self))
    end
    table.insert(self.waiting, from)
    return stagehost.noreply
end

function callbacks.handle_call(self, request, from)
    local answer = requests[request]
    if not answer then
        return guard.request("sink.collect", request, 'known: "events", "count", "finish"')
    end
    return answer(self, from)
end

function callbacks.terminate(self)
    for _, from in ipairs(self.waiting) do
        from:reply(result(self))
    end
end

M.callbacks = callbacks

--- A consumer that keeps its events.
---
---     local sink = stagehost.start(stagehost.sink.collect())
---     sink:subscribe { to = producer, cancel = "temporary" }
---     sink:call "events"   -- a list of the events received so far;  sink:call "count": how many
---     sink:call("finish", math.huge).events   -- waits until all its producers have ended; then it
---                                             -- ends too. `.reason`: why the first one ended
---
--- In a pipeline, `running:join()` has its events under its name.
---
--- With the default, cancel = "permanent", the stage ends with its producer, and its events are gone:
--- a caller of "finish" before that still gets them. sink.collect_from does all this in one call.
---@return stagehost.Definition
function M.new()
    return stagehost.consumer(tables.copy(callbacks))
end

return M
