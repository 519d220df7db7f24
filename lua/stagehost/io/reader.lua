-- SPDX-License-Identifier: MIT

--- Bytes of a file, a pipe, a terminal or a socket, one chunk when asked for one. The answer goes
--- to a callback and not to a waiting stage: a stage that waited for a silent pipe could not be
--- stopped.
local call = require "stagehost.io.call"
local descriptors = require "stagehost.io.descriptor"
local streams = require "stagehost.io.stream"
local uv = require "luv"

local M = {}

local READ = uv.constants.O_RDONLY
local READ_NON_BLOCKING = READ + uv.constants.O_NONBLOCK

---@class stagehost.io.Reader
---@field size? integer bytes, if it is a file
---@field private callback? fun(failure: string?, chunk: string?) of the read that is going on

---@class stagehost.io.FileReader: stagehost.io.Reader
local File = {}
File.__index = File

local function new_file(descriptor, size, chunk_size)
    local self = { descriptor = descriptor, size = size, chunk_size = chunk_size }
    self.on_read = function(err, data)
        local callback = self.callback
        self.callback = nil
        if self.closed then
            self.descriptor:release()
        elseif err then
            callback((call.describe(err)))
        else
            callback(nil, data ~= "" and data or nil)
        end
    end
    return setmetatable(self, File)
end

--- Reads once. The callback gets (failure), (nil, chunk), or (nil, nil) at the end; it is never
--- called from inside this function, and not at all after close().
---@param callback fun(failure: string?, chunk: string?)
function File:read(callback)
    self.callback = callback
    local ok, err = uv.fs_read(self.descriptor.fd, self.chunk_size, -1, self.on_read)
    if not ok then
        error(err, 0)
    end
end

--- A read that is going on is let finish: its descriptor must not become another file's meanwhile.
function File:close()
    if not self.closed then
        self.closed = true
        if not self.callback then
            self.descriptor:release()
        end
    end
end

---@class stagehost.io.StreamReader: stagehost.io.Reader
local Stream = {}
Stream.__index = Stream

local function new_stream(stream)
    local self = setmetatable({ stream = stream }, Stream)
    self.on_read = function(err, data)
        uv.read_stop(stream.handle)
        local callback = self.callback
        self.callback = nil
        callback(err and call.describe(err) or nil, data)
    end
    return self
end

--- As File:read().
function Stream:read(callback)
    self.callback = callback
    local ok, err = uv.read_start(self.stream.handle, self.on_read)
    if not ok then
        error(err, 0)
    end
end

function Stream:close()
    self.stream:close()
end

--- A new reader of a named pipe would not hear that its writers have gone before it came, so that
--- one is read as it is.
local function open_stdin()
    local kind = uv.guess_handle(descriptors.STDIN)
    local reopen = kind == "tty"
        or kind == "pipe" and descriptors.is_anonymous_pipe(descriptors.STDIN)
    return reopen and descriptors.reopen(descriptors.STDIN, READ_NON_BLOCKING)
        or descriptors.borrow(descriptors.STDIN)
end

--- A named pipe is opened without blocking, so that nothing hangs until somebody writes to it.
local function open_path(path)
    local stat, message = call.wait(uv.fs_stat, path)
    if not stat then
        return nil, message
    elseif stat.type == "directory" then
        return nil, "it is a directory (EISDIR)"
    end
    return descriptors.open(path, stat.type == "fifo" and READ_NON_BLOCKING or READ)
end

local function file_size(stat)
    return stat.type == "file" and stat.size or nil
end

--- How errors and reports name a path.
---@param path string
---@return string
function M.display(path)
    return path == "-" and "standard input" or path
end

--- Waits.
---@param path string "-": standard input
---@param chunk_size integer bytes to read at once
---@return stagehost.io.Reader? nil if it can't be read
---@return string? message
function M.open(path, chunk_size)
    local descriptor, message, stat
    if path == "-" then
        descriptor = open_stdin()
    else
        descriptor, message = open_path(path)
    end
    if descriptor then
        stat, message = call.wait(uv.fs_fstat, descriptor.fd)
    end
    if not stat then
        return nil, message
    end
    local kind = uv.guess_handle(descriptor.fd)
    if streams.is_stream(kind) then
        local stream
        stream, message = streams.open(descriptor, kind, true)
        return stream and new_stream(stream), message
    end
    return new_file(descriptor, file_size(stat), chunk_size)
end

--- What can be said about a path before it is read: its size, nil if it has none. Waits. A named
--- pipe is not tried: whoever writes to it would take us for the reader.
---@param path string
---@return boolean ok
---@return integer|string? size, or what is wrong with it
function M.probe(path)
    if path == "-" then
        local stat, err = uv.fs_fstat(descriptors.STDIN)
        return stat ~= nil, stat and file_size(stat) or err and call.describe(err)
    end
    local stat = call.wait(uv.fs_stat, path)
    if stat and stat.type == "fifo" then
        return true
    end
    local descriptor, problem = open_path(path)
    if not descriptor then
        return false, problem
    end
    descriptor:release()
    return true, file_size(stat)
end

return M
