-- SPDX-License-Identifier: MIT

--- A clock that emits the number of each tick.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local guard = require "stagehost.messages.guard"
local notes = require "stagehost.messages.note"
local stage_options = require "stagehost.options"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local callbacks = { title = "interval" }

function callbacks.init(self)
    self.owed, self.ticks, self.emitted = 0, 0, 0
    stagehost.every(self.settings.ms, notes.new "tick")
end

function callbacks.handle_demand(self, demand)
    self.owed = self.owed + demand
end

local takers = {}

function takers.tick(self)
    self.ticks = self.ticks + 1
    if self.owed == 0 then
        return nil
    end
    self.owed, self.emitted = self.owed - 1, self.emitted + 1
    if self.emitted == self.settings.limit then
        return stagehost.stop("normal", { self.ticks })
    end
    return { self.ticks }
end

function callbacks.handle_info(self, message)
    return notes.take("source.interval", takers, self, message)
end

function callbacks.handle_call(self, request)
    if request == "stats" then
        return { ticks = self.ticks, emitted = self.emitted, skipped = self.ticks - self.emitted }
    end
    return guard.request("source.interval", request, 'known: "stats"')
end

M.callbacks = callbacks

local function check(what, one, value)
    local result, problem = one(value)
    if problem then
        errors.raise("invalid_option", "source.interval: %s %s, got %s", what, problem,
            checks.show(value))
    end
    return result
end

--- A producer of one event every `ms` milliseconds: 1, 2, 3, ..., the number of the tick. A tick
--- that comes while there is no demand is skipped, not stored: the number of the next event shows
--- that, and so does `stage:call("stats")`: { ticks =, emitted =, skipped = }.
---
---     stagehost.start(stagehost.source.interval(1000))
---     stagehost.start(stagehost.source.interval(10, 5))   -- ends normally after five events
---@param ms stagehost.Duration
---@param limit? integer
---@param options? stagehost.InitOptions of its start
---@return stagehost.Definition
function M.new(ms, limit, options)
    local checked_ms = check("the time", checks.duration(1), ms)
    if limit ~= nil then
        check("the limit", checks.integer(1), limit)
    end
    local of_start = stage_options.for_definition("producer", options, "source.interval")
    return stagehost.producer(tables.copy(callbacks, of_start, {
        settings = { ms = checked_ms, limit = limit },
    }))
end

return M
