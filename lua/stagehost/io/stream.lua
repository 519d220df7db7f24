-- SPDX-License-Identifier: MIT

--- Pipes, terminals and sockets as handles of luv, which wait for their other end without keeping
--- a thread busy. libuv makes their descriptors non-blocking: give it one with a description of our
--- own where there can be one. Where there can't, that is undone at the end.
local call = require "stagehost.io.call"
local uv = require "luv"

local M = {}

local open = {}

function open.pipe(fd)
    local pipe = uv.new_pipe(false)
    local ok, err = uv.pipe_open(pipe, fd)
    return ok and pipe, err, pipe
end

function open.tcp(fd)
    local socket = uv.new_tcp()
    local ok, err = uv.tcp_open(socket, fd)
    return ok and socket, err, socket
end

function open.tty(fd, readable)
    return uv.new_tty(fd, readable)
end

---@class stagehost.io.Stream
---@field handle userdata luv's
---@field private descriptor? stagehost.io.Descriptor what is still ours to close
---@field private is_shared boolean somebody else uses the description too
local Stream = {}
Stream.__index = Stream

--- Whether a descriptor of that kind (of luv's guess_handle) is one for this module.
---@param kind? string
---@return boolean
function M.is_stream(kind)
    return open[kind] ~= nil
end

--- Makes a stream of an open descriptor, which becomes its own.
---@param descriptor stagehost.io.Descriptor
---@param kind "pipe"|"tcp"|"tty"
---@param readable boolean
---@return stagehost.io.Stream? nil if it does not work
---@return string? message
function M.open(descriptor, kind, readable)
    local handle, err, unused = open[kind](descriptor.fd, readable)
    if not handle then
        if unused then
            uv.close(unused)
        end
        descriptor:release()
        return nil, (call.describe(err))
    end
    local self = setmetatable({ handle = handle, is_shared = not descriptor:is_own() }, Stream)
    -- libuv opens a terminal once more for itself, and closes that.
    if uv.fileno(handle) == descriptor.fd then
        descriptor:take()
    else
        self.descriptor = descriptor
    end
    return self
end

function Stream:close()
    if uv.is_closing(self.handle) then
        return
    end
    if self.is_shared then
        uv.stream_set_blocking(self.handle, true)
    end
    uv.close(self.handle)
    if self.descriptor then
        self.descriptor:release()
    end
end

return M
