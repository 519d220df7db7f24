-- SPDX-License-Identifier: MIT

--- A file that other programs append to, read at a position of our own. It stays the same file when it is
--- renamed or deleted: as long as it is open here it can be read completely, and the file system
--- gives its inode number to no other file.
---
--- The file may also be cut, and filled again to any size before it is looked at. Its size does not show
--- that, so the last bytes before the position are remembered, and every read begins with them: it
--- returns the bytes that are there now together with those that follow, at one moment. While a
--- file is only appended to, the bytes before the position stay what they were when they were read,
--- so a difference is never a false alarm. Only a file that was filled again with the very same bytes
--- before the position is not noticed.
local call = require "stagehost.io.call"
local descriptors = require "stagehost.io.descriptor"
local uv = require "luv"

local M = {}

local BLOCK = 64 * 1024

-- The number of bytes before the position that are remembered: enough to include a time stamp of a log.
local REMEMBERED = 256

-- A file that was written twice within one tick of its file system's clock shows the same times
-- after both. The coarsest clocks known, those of FAT, tick every two seconds.
local TICK_MS = 2000

---@class stagehost.io.Growing
---@field position integer offset of the next byte to read
---@field private descriptor stagehost.io.Descriptor
---@field private stat table
---@field private remembered string the bytes before the position, as they were when they were read
---@field private skips_hole boolean the NUL bytes that come next are a hole
---@field private is_at_end boolean the last read found nothing
---@field private seen? table how the file looked before that read
---@field private seen_since? integer when it looked like that for the first time, in milliseconds
---@field private is_settled boolean a change would show, because `seen` is older than a tick
local Growing = {}
Growing.__index = Growing

--- Opens a file. Waits, as all functions here do.
---@param path string
---@return stagehost.io.Growing?
---@return string? message
---@return string? code "ENOENT": there is no such file
function M.open(path)
    local stat, message, code = call.wait(uv.fs_stat, path)
    if stat and stat.type ~= "file" then
        return nil, "it is not a regular file"
    end
    local descriptor
    if stat then
        descriptor, message, code = descriptors.open(path, "r")
    end
    if not descriptor then
        return nil, message, code
    end
    stat, message = call.wait(uv.fs_fstat, descriptor.fd)
    if not stat then
        descriptor:release()
        return nil, message
    end
    local self = setmetatable({ descriptor = descriptor, stat = stat }, Growing)
    self:go_to(0, "")
    return self
end

--- Begins at a position. A file that is cut while its writer goes on at the old position, instead of appending,
--- begins with a hole, which has no data and reads as NUL bytes.
---@private
---@param position integer
---@param remembered string the bytes before it
function Growing:go_to(position, remembered)
    self.position, self.remembered = position, remembered
    self.skips_hole = position == 0
    self.is_at_end, self.is_settled = false, false
end

--- Whether a stat belongs to this very file.
---@param stat table
---@return boolean
function Growing:is(stat)
    return stat.ino == self.stat.ino and stat.dev == self.stat.dev
end

local function looks_like(a, b)
    return a.size == b.size
        and a.mtime.sec == b.mtime.sec and a.mtime.nsec == b.mtime.nsec
        and a.ctime.sec == b.ctime.sec and a.ctime.nsec == b.ctime.nsec
end

--- Whether the file is unchanged since the last read found its end, so that there is nothing to read.
--- Equal times prove that only when they are older than a tick: a file that has changed
--- is read again, with one small read for each look, until it has been read a tick after the change was
--- first seen.
---@private
function Growing:is_unchanged()
    local stat = call.wait(uv.fs_fstat, self.descriptor.fd)
    if not stat then
        return false -- the read that follows reports why
    elseif not self.seen or not looks_like(stat, self.seen) then
        self.seen, self.seen_since, self.is_settled = stat, uv.now(), false
    end
    return self.is_settled
end

--- Returns the new bytes of a read at the position; nil if it found only a hole.
---@private
function Growing:take(chunk, since)
    self.position = self.position + #chunk
    local known = #chunk < REMEMBERED and self.remembered .. chunk or chunk
    self.remembered = known:sub(-REMEMBERED)
    self.is_at_end = chunk == ""
    self.is_settled = self.is_at_end and since ~= nil and since >= TICK_MS
    if self.skips_hole and chunk ~= "" then
        local first = chunk:find "[^%z]"
        self.skips_hole = first == nil
        return first and chunk:sub(first) or nil
    end
    return chunk
end

--- Reads up to `size` bytes at the position; "" at the end. If bytes that were read are not
--- there any more, the file was cut, and the next read begins at its start.
---@param size integer
---@return string? chunk nil: it was cut, or can't be read
---@return string? message nil: it was cut
function Growing:read(size)
    local since
    if self.is_at_end then
        if self:is_unchanged() then
            return ""
        end
        since = self.seen and uv.now() - self.seen_since
    end
    local chunk
    repeat
        local n = #self.remembered
        local bytes, message = call.wait(uv.fs_read, self.descriptor.fd, n + size, self.position - n)
        if not bytes then
            return nil, message
        end
        if bytes:sub(1, n) ~= self.remembered then
            self:go_to(0, "")
            return nil
        end
        chunk = self:take(bytes:sub(n + 1), since)
    until chunk
    return chunk
end

---@return boolean
function Growing:is_empty()
    local stat = call.wait(uv.fs_fstat, self.descriptor.fd)
    return stat ~= nil and stat.size == 0
end

--- Moves the position to the start of the last line if that is still being written, else to the end.
---@return boolean? ok
---@return string? message
function Growing:seek_last_line()
    local stop = self.stat.size
    while stop > 0 do
        local start = math.max(0, stop - BLOCK)
        local block, message = call.wait(uv.fs_read, self.descriptor.fd, stop - start, start)
        if not block then
            return nil, message
        end
        local newline = block:match "^.*()\n"
        if newline and (start == 0 or newline >= REMEMBERED) then
            self:go_to(start + newline, block:sub(math.max(1, newline - REMEMBERED + 1), newline))
            return true
        end
        -- A newline at the start of a block is read once more, with the bytes before it.
        stop = start + (newline or 0)
    end
    self:go_to(0, "")
    return true
end

function Growing:close()
    self.descriptor:release()
end

return M
