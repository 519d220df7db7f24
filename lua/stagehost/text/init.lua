-- SPDX-License-Identifier: MIT

--- Operators on lists of strings, which work on packed lists in C: no Lua string is made for what they drop, and
--- none for what they pass on. Each takes a packed list (what handle_events gets in a stage with `packed = true`) or
--- a table of strings, and returns a packed list, which a callback may return as its events:
---
---     local text = stagehost.text
---     local Errors = stagehost.producer_consumer {
---         packed = true,
---         handle_events = function(self, lines)
---             return text.field(text.select(lines, { pattern = " 5%d%d " }), 7)
---         end,
---     }
---
--- `stagehost.text.stages` has a stage for each of them but hash. Elements that are not strings are an error, and so
--- are unknown or wrong options; the error names them.
---
--- A field of a string is what stands between two separators (`separator = ","`, any string of at least one byte),
--- also if that is nothing; or, without a separator, a word between runs of white space, as in awk.
local core = require "stagehost.core.text"
local lazy = require "stagehost.engine.lazy"
local operators = require "stagehost.text.operators"
local options = require "stagehost.text.options"

---@alias stagehost.text.List stagehost.Strings | string[]

---@class stagehost.text
---@field stages stagehost.text.stages
local M = {}

---@class stagehost.text.LinesOptions
---@field keep_cr? boolean default false: "\r\n" ends a line like "\n"

---@class stagehost.text.FieldOptions
---@field field? integer from 1
---@field separator? string default: runs of white space

---@class stagehost.text.SelectOptions
---@field contains? string a plain text
---@field pattern? string a pattern of Lua
---@field invert? boolean default false; true: keeps the strings in which it is not found

---@class stagehost.text.HashOptions : stagehost.text.FieldOptions
---@field partitions integer

--- A packed list of the strings of a table.
---@param list string[]
---@return stagehost.Strings
function M.pack(list)
    return operators.pack(list, "text.pack")
end

--- An object that cuts chunks into lines. `splitter:feed(chunk)` takes a string, or a packed list of chunks, and
--- returns a packed list of the lines that are complete now, or nil. `splitter:finish()` returns a packed list of
--- the last line, if the input did not end with a newline, or nil.
---@param given? stagehost.text.LinesOptions
---@return stagehost.text.Splitter
function M.splitter(given)
    return core.splitter(options.check("lines", given, "text").keep_cr or false)
end

--- The lines of a text that is whole: a string, or a list of its chunks. The last line may have no newline.
---@param chunks string | stagehost.text.List
---@param given? stagehost.text.LinesOptions
---@return stagehost.Strings
function M.lines(chunks, given)
    chunks = type(chunks) == "string" and { chunks } or chunks
    local keep_cr = options.check("lines", given, "text").keep_cr or false
    return core.lines(operators.pack(chunks, "text.lines"), keep_cr)
end

--- All fields of all strings in one list. With the option `field`, that field of each string that has it: the others
--- are dropped. An empty string has one field, which is empty; without a separator it has none.
---@param list stagehost.text.List
---@param given? stagehost.text.FieldOptions | string a string is the separator
---@return stagehost.Strings
function M.split(list, given)
    return operators.split(operators.pack(list, "text.split"), options.check("split", given, "text"))
end

--- One field of each string; an empty string where there is no such field. So the list is as long as `list`.
---@param list stagehost.text.List
---@param given stagehost.text.FieldOptions | integer a number is the field
---@return stagehost.Strings
function M.field(list, given)
    return operators.field(operators.pack(list, "text.field"), options.check("field", given, "text"))
end

--- The strings that contain a text, or in which a pattern is found. Patterns are those of string.find, with the
--- bytes of the C locale, and find the same. They differ in three things: a pattern that string.find would refuse
--- for some string is an error in any case; a NUL byte in a pattern stands for itself; and a search that takes more
--- than a million steps of backtracking, and ten for each byte of the string, at one place of it is an error.
---@param list stagehost.text.List
---@param given stagehost.text.SelectOptions | string a string is the text that they must contain
---@return stagehost.Strings
function M.select(list, given)
    return operators.select(operators.pack(list, "text.select"), options.check("select", given, "text"), "text.select")
end

--- For each string, or its field, stagehost.hash(string, partitions).
---@param list stagehost.text.List
---@param given stagehost.text.HashOptions | integer a number is that of the partitions
---@return integer[] places each 0 .. partitions - 1
function M.hash(list, given)
    local checked = options.check("hash", given, "text")
    return core.hash(operators.pack(list, "text.hash"), checked.partitions, checked.field or 0, checked.separator)
end

--- Counts how often each string has come, or its field. With `counts`, of an earlier call, it goes on from there.
--- `counts:list()` returns { { key, n }, ... } in the order in which the keys came first, `counts:table()`
--- { [key] = n }, `#counts` is the number of keys, and `counts:merge(others)` adds others.
---@param list stagehost.text.List
---@param given? stagehost.text.FieldOptions | integer a number is the field; nil: the whole string
---@param counts? stagehost.text.Counts
---@return stagehost.text.Counts
function M.count_by(list, given, counts)
    local checked = options.check("count_by", given, "text")
    list = operators.pack(list, "text.count_by")
    counts = counts or core.counts()
    operators.count(counts, list, checked)
    return counts
end

return lazy.fields(M, { stages = "stagehost.text.stages" })
