-- SPDX-License-Identifier: MIT
---@meta stagehost.core.text

--- The C half of stagehost.text (bindings/objects/text.c): for editors and readers, never loaded. Lists are packed.

---@class stagehost.text.Splitter
local Splitter = {}

---@param chunks string | stagehost.Strings
---@return stagehost.Strings? lines nil if no line has ended
function Splitter:feed(chunks) end

---@return stagehost.Strings? line nil if none has begun
function Splitter:finish() end

---@return integer bytes of the line that has begun
function Splitter:kept() end

---@class stagehost.text.Pattern
local Pattern = {}

--- Returns what string.find returns.
---@param text string
---@param init? integer at least 1
---@return integer? first
---@return integer? last
---@return string | integer ... captures
function Pattern:find(text, init) end

---@class stagehost.text.Counts
---@operator len: integer
local Counts = {}

---@param list stagehost.Strings
---@param field integer 0: the whole string
---@param separator? string
function Counts:add(list, field, separator) end

---@param others stagehost.text.Counts
function Counts:merge(others) end

---@return { [1]: string, [2]: integer }[]
function Counts:list() end

---@return table<string, integer>
function Counts:table() end

--- `Splitter`, `Pattern` and `Counts` are tables of methods.
---@class stagehost.core.text
local text = { Splitter = Splitter, Pattern = Pattern, Counts = Counts }

---@param keep_cr boolean
---@return stagehost.text.Splitter
function text.splitter(keep_cr) end

---@param chunks stagehost.Strings
---@param keep_cr boolean
---@return stagehost.Strings
function text.lines(chunks, keep_cr) end

---@param pattern string
---@param is_plain? boolean
---@return stagehost.text.Pattern?
---@return string? problem
function text.pattern(pattern, is_plain) end

---@return stagehost.text.Counts
function text.counts() end

---@param list stagehost.Strings
---@param field integer
---@param separator? string
---@return stagehost.Strings
function text.field(list, field, separator) end

---@param list stagehost.Strings
---@param field integer 0: all fields
---@param separator? string
---@return stagehost.Strings
function text.split(list, field, separator) end

---@param list stagehost.Strings
---@param pattern stagehost.text.Pattern
---@param invert boolean
---@return stagehost.Strings
function text.select(list, pattern, invert) end

---@param list stagehost.Strings
---@param partitions integer
---@param field integer 0: the whole string
---@param separator? string
---@return integer[]
function text.hash(list, partitions, field, separator) end

return text
