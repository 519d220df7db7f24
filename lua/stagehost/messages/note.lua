-- SPDX-License-Identifier: MIT

--- Notes: messages that stages of this library send to themselves or to one another, without an answer.
---
---     function takers.read(self, note) ... end                -- by what a note says
---     function callbacks.handle_info(self, message)
---         return notes.take("source.lines", takers, self, message)
---     end
---     self.stage:send(notes.new("read", { chunk = chunk }))
local guard = require "stagehost.messages.guard"

local M = {}

---@class stagehost.Note it also has the fields it was made with
---@field note string the name of the note

--- Makes a note of a table of fields, which it takes over.
---@param what string
---@param fields? table
---@return stagehost.Note
function M.new(what, fields)
    local note = fields or {}
    note.note = what
    return note
end

--- Calls the function that has the name of the note. Any other message is ignored, and logged.
---@param name string of the stage, for the log
---@param takers table<string, fun(self: table, note: stagehost.Note): any, any, any>
---@param self table
---@param message any
---@return any ... what the function returns
function M.take(name, takers, self, message)
    local take = type(message) == "table" and takers[message.note]
    if take then
        return take(self, message)
    end
    guard.message(name, message)
end

return M
