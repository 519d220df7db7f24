-- SPDX-License-Identifier: MIT

--- Events on standard output, for people and for the next program.
local checks = require "stagehost.options.checks"
local json = require "stagehost.codec.json"
local lines = require "stagehost.sink.lines"
local new_table = require "table.new"

local M = {}

--- Formats one event: text as it is, tables as JSON, any other value as Lua would print it.
---@param event any
---@return string
function M.format(event)
    local kind = type(event)
    if kind == "string" then
        return event
    elseif kind == "table" or event == json.null then
        local text, message = json.encode(event)
        return text or error(("an event can't be printed as JSON: %s"):format(message), 0)
    end
    return tostring(event)
end

---@param events any[]
---@return string[]
function M.format_all(events)
    local texts = new_table(#events, 0)
    for i = 1, #events do
        texts[i] = M.format(events[i])
    end
    return texts
end

local schema = { on_broken_pipe = checks.one_of("end", "error") }

--- A consumer that writes one line for each event to standard output: strings as they are, tables as
--- JSON.
---
---     stagehost.start(stagehost.sink.print(), { subscribe_to = { producer } })
---
--- Failures, and a pipe without a reader, are handled as in sink.lines.
---@param options? { on_broken_pipe?: "end"|"error" }
---@return stagehost.Definition
function M.new(options)
    local given = checks.apply(schema, options or {}, "sink.print")
    local def = lines.define({
        path = "-",
        append = false,
        newline = "\n",
        on_broken_pipe = given.on_broken_pipe or "end",
    }, M.format_all)
    def.title = "print"
    return def
end

return M
