-- SPDX-License-Identifier: MIT

--- The events of a list.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local new_table = require "table.new"
local stage_options = require "stagehost.options"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local callbacks = { title = "list" }

function callbacks.init(self)
    self.position = 0
end

function callbacks.handle_demand(self, demand)
    local events, position = self.events, self.position
    local n = math.min(demand, #events - position)
    local taken = new_table(n, 0)
    for i = 1, n do
        taken[i] = events[position + i]
    end
    self.position = position + n
    if self.position == #events then
        return stagehost.stop("normal", taken)
    end
    return taken
end

M.callbacks = callbacks

--- A producer of these events, in order; it ends normally after the last.
---
---     stagehost.start(stagehost.source.list { "a", "b", "c" })
---
--- The list is read while the stage runs, so it must not be changed.
---@param events any[]
---@param options? stagehost.InitOptions of its start
---@return stagehost.Definition
function M.new(events, options)
    local _, problem = checks.list(events)
    if problem then
        errors.raise("invalid_option", "source.list: the events %s", problem)
    end
    return stagehost.producer(tables.copy(callbacks, stage_options.for_definition("producer", options, "source.list"), {
        events = events,
    }))
end

return M
