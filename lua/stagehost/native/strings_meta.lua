-- SPDX-License-Identifier: MIT
---@meta stagehost.native.strings

--- A packed list: strings in one block of memory, which goes between workers by reference. `#list` is their
--- number, `list[i]` makes the string at that place (nil if there is none). A callback may return one as its events.
---@class stagehost.Strings
---@field [integer] string
---@operator len: integer
local Strings = {}

--- All strings, as a new table.
---@return string[]
function Strings:table() end

--- All strings as one, each with `ending` behind it: a text of lines, if that is "\n".
---@param ending string
---@return string
function Strings:text(ending) end

return Strings
