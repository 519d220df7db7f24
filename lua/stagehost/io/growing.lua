-- SPDX-License-Identifier: MIT

--- A file that others append to, read at a position of our own. It stays the same file when it is
--- renamed or deleted: as long as it is open here it can be read to its end.
local call = require "stagehost.io.call"
local descriptors = require "stagehost.io.descriptor"
local uv = require "luv"

local M = {}

local BLOCK = 64 * 1024

---@class stagehost.io.Growing
---@field position integer offset of the next byte to read
---@field private descriptor stagehost.io.Descriptor
---@field private stat table
local Growing = {}
Growing.__index = Growing

--- Waits, as all functions here do.
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
    return setmetatable({ descriptor = descriptor, stat = stat, position = 0 }, Growing)
end

--- Whether a stat is that of this very file.
---@param stat table
---@return boolean
function Growing:is(stat)
    return stat.ino == self.stat.ino and stat.dev == self.stat.dev
end

--- What stands at the position, up to `size` bytes; "" at the end.
---@param size integer
---@return string?
---@return string? message
function Growing:read(size)
    local chunk, message = call.wait(uv.fs_read, self.descriptor.fd, size, self.position)
    if chunk then
        self.position = self.position + #chunk
    end
    return chunk, message
end

--- Whether bytes that were read are not there any more: the file was cut and begins anew.
---@return boolean
function Growing:is_cut()
    local stat = call.wait(uv.fs_fstat, self.descriptor.fd)
    return stat ~= nil and stat.size < self.position
end

---@return boolean
function Growing:is_empty()
    local stat = call.wait(uv.fs_fstat, self.descriptor.fd)
    return stat ~= nil and stat.size == 0
end

--- Goes to the end, or rather to the start of the line that is being written there.
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
        if newline then
            self.position = start + newline
            return true
        end
        stop = start
    end
    self.position = 0
    return true
end

function Growing:close()
    self.descriptor:release()
end

return M
