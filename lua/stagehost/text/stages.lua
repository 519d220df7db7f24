-- SPDX-License-Identifier: MIT

--- Stages that do what the functions of `stagehost.text` do, with the same options:
---
---     local stages = stagehost.text.stages
---     stagehost.pipeline {
---         stages = {
---             { name = "lines", stage = stagehost.source.lines "access.log" },
---             { name = "errors", stage = stages.select { pattern = '" 5%d%d ' }, subscribe_to = "lines" },
---             { name = "paths", stage = stages.count_by(7), subscribe_to = "errors" },
---             { name = "out", stage = stagehost.sink.print(), subscribe_to = "paths" },
---         },
---     }
---
--- They make no Lua string of events that come packed, nor of those they emit.
local core = require "stagehost.core.text"
local operators = require "stagehost.text.operators"
local options = require "stagehost.text.options"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local PREFIX = "text.stages"

---@class stagehost.text.stages
local M = {}

-- By operator; fields of the module, so that another worker finds the functions by their names.
local callbacks = { lines = {}, split = {}, field = {}, select = {}, count_by = {} }
M.callbacks = callbacks

function callbacks.lines.init(self)
    self.splitter = core.splitter(self.settings.keep_cr or false)
end

function callbacks.lines.handle_events(self, chunks)
    return self.splitter:feed(operators.pack(chunks, self.what))
end

function callbacks.lines.handle_end(self)
    return self.splitter:finish()
end

function callbacks.split.handle_events(self, events)
    return operators.split(operators.pack(events, self.what), self.settings)
end

function callbacks.field.handle_events(self, events)
    return operators.field(operators.pack(events, self.what), self.settings)
end

function callbacks.select.handle_events(self, events)
    return operators.select(operators.pack(events, self.what), self.settings, self.what)
end

function callbacks.count_by.init(self)
    self.counts = core.counts()
end

function callbacks.count_by.handle_events(self, events)
    operators.count(self.counts, operators.pack(events, self.what), self.settings)
end

function callbacks.count_by.handle_end(self)
    return self.counts:list()
end

local function define(operator, given)
    local checked = options.check(operator, given, PREFIX)
    if operator == "select" then
        operators.pattern(checked, PREFIX .. ".select")
    end
    return stagehost.producer_consumer(tables.copy(callbacks[operator], {
        packed = true,
        settings = checked,
        what = PREFIX .. "." .. operator,
    }))
end

--- A producer_consumer whose events are chunks of a text, in order, and which emits its lines, packed. At the end it
--- emits the last line, if that has no newline.
---@param given? stagehost.text.LinesOptions
---@return stagehost.Definition
function M.lines(given)
    return define("lines", given)
end

--- A producer_consumer that emits the fields of each event: all, or one if the event has it.
---@param given? stagehost.text.FieldOptions | string
---@return stagehost.Definition
function M.split(given)
    return define("split", given)
end

--- A producer_consumer that emits one field of each event.
---@param given stagehost.text.FieldOptions | integer
---@return stagehost.Definition
function M.field(given)
    return define("field", given)
end

--- A producer_consumer that emits the events that contain a text, or in which a pattern is found.
---@param given stagehost.text.SelectOptions | string
---@return stagehost.Definition
function M.select(given)
    return define("select", given)
end

--- A producer_consumer that counts its events, or a field of them, and emits the counts when its input has ended:
--- an event { key, n } for each key, in the order in which the keys came first.
---@param given? stagehost.text.FieldOptions | integer
---@return stagehost.Definition
function M.count_by(given)
    return define("count_by", given)
end

return M
