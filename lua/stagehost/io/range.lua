-- SPDX-License-Identifier: MIT

--- A range of a file, cut at line ends: it has the lines that begin in it. Ranges that lie side by side have
--- each line once. Reading begins one byte before the range, where a line may have ended, and goes on behind it
--- to the end of its last line. Pure.
local find, sub = string.find, string.sub

---@class stagehost.io.Range
---@field position integer the offset of the next byte to read
---@field private to integer the offset behind the range
---@field private size integer of the file: what has been added since is not read
---@field private is_skipping boolean the line that began before the range has not ended yet
---@field private is_over boolean
local Range = {}
Range.__index = Range

local M = {}

---@param from integer the offset of its first byte
---@param to integer the offset behind its last byte, at most `size`
---@param size integer of the file
---@return stagehost.io.Range
function M.new(from, to, size)
    return setmetatable({
        position = math.max(0, from - 1),
        to = to,
        size = size,
        is_skipping = from > 0,
        is_over = from >= to,
    }, Range)
end

--- Returns how many bytes to read at the position, at most n; 0 at the end.
---@param n integer
---@return integer
function Range:wanted(n)
    return self.is_over and 0 or math.min(n, self.size - self.position)
end

--- Returns the index of the first byte of the range's lines, nil if there is none in the chunk.
---@private
function Range:skip(chunk, start)
    if not self.is_skipping then
        return 1
    end
    local newline = find(chunk, "\n", 1, true)
    self.is_skipping = newline == nil
    self.is_over = start + (newline or #chunk) >= self.to
    return newline and not self.is_over and newline + 1 or nil
end

--- Takes what was read at the position, and returns the part of it that belongs to the lines of the range: "" if
--- nothing does.
---@param chunk string
---@return string
function Range:take(chunk)
    local start = self.position
    self.position = start + #chunk
    local first = self:skip(chunk, start)
    if not first then
        return ""
    end
    local last = self.position >= self.to and find(chunk, "\n", math.max(first, self.to - start), true)
    self.is_over = last and true or self.position >= self.size
    return first == 1 and (last or #chunk) == #chunk and chunk or sub(chunk, first, last or -1)
end

return M
