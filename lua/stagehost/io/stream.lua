-- SPDX-License-Identifier: MIT

--- Pipes, terminals and sockets as handles of luv, which wait for their other end without blocking
--- a thread. libuv makes their descriptors non-blocking, so it should get one with a description of our
--- own. Where there can't be one, the descriptor is made blocking again at the end.
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
---@field private descriptor? stagehost.io.Descriptor one that we still have to close
---@field private is_shared boolean other programs use the description too
local Stream = {}
Stream.__index = Stream

--- Whether this module handles descriptors of a kind (as luv's guess_handle names it).
---@param kind? string
---@return boolean
function M.is_stream(kind)
    return open[kind] ~= nil
end

--- Makes a stream of an open descriptor, which it takes over.
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
    -- libuv opens a terminal once more for itself, and closes only that descriptor.
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
