-- SPDX-License-Identifier: MIT

--- Calls a function with every event.
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

local callbacks = { title = "each" }

function callbacks.handle_events(self, events)
    local f = self.f
    for i = 1, #events do
        f(events[i])
    end
end

M.callbacks = callbacks

--- A consumer that calls `f(event)` for each event, in order. `f` may wait; an error in it ends the
--- stage.
---
---     local sink = stagehost.sink.each(function(event) print(event) end)
---     stagehost.start(sink, { subscribe_to = { producer } })
---@param f fun(event: any)
---@return stagehost.Definition
function M.new(f)
    if type(f) ~= "function" then
        errors.raise("invalid_option", "sink.each: expected a function, got %s", checks.show(f))
    end
    return stagehost.consumer(tables.copy(callbacks, { f = f }))
end

return M
