-- SPDX-License-Identifier: MIT

--- Events gathered into lists.
local checks = require "stagehost.options.checks"
local core = require "stagehost.core"
local errors = require "stagehost.options.errors"
local notes = require "stagehost.messages.note"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local callbacks = {}

function callbacks.init(self)
    self.held, self.n = {}, 0
end

local function take(self)
    local list = self.held
    self.held, self.n = {}, 0
    if self.timer then
        self.timer:cancel()
        self.timer = nil
    end
    return list
end

function callbacks.handle_events(self, events)
    local lists = {}
    for i = 1, #events do
        self.n = self.n + 1
        self.held[self.n] = events[i]
        if self.n == self.size then
            lists[#lists + 1] = take(self)
        end
    end
    if self.n > 0 and self.ms and not self.timer then
        self.round = (self.round or 0) + 1
        self.timer = stagehost.send_after(self.ms, notes.new("due", { round = self.round }))
    end
    return lists
end

local takers = {}

--- Emits what is there when the time is up. A message of a timer that was cancelled too late is of an earlier round.
function takers.due(self, note)
    if self.timer and note.round == self.round then
        return { take(self) }
    end
end

function callbacks.handle_info(self, message)
    return notes.take("batch", takers, self, message)
end

function callbacks.handle_end(self)
    return self.n > 0 and { take(self) } or nil
end

function callbacks.terminate(self)
    core.leave_behind(self.n)
end

--- A stage that emits lists of `n` events. The last one may be shorter, and so is one whose first event has
--- waited for `ms`.
---@param n integer
---@param ms? integer | string milliseconds, or "250ms", "10s"; default: no limit
---@return stagehost.Definition
local function new(n, ms)
    local _, problem = checks.integer(1)(n)
    if problem then
        errors.raise("invalid_option", "batch: the number of events %s, got %s", problem, checks.show(n))
    end
    if ms ~= nil then
        local given = ms
        ms, problem = checks.duration(1)(given)
        if problem then
            errors.raise("invalid_option", "batch: the time %s, got %s", problem, checks.show(given))
        end
    end
    return stagehost.producer_consumer(tables.copy(callbacks, { title = "batch", size = n, ms = ms }))
end

return { callbacks = callbacks, new = new }
