-- SPDX-License-Identifier: MIT

--- Writes bytes into a file, a pipe, a terminal or a socket. Every function waits, so that the writer is
--- not faster than the reader, and every byte is written or the failure is reported.
---
--- Pipes and terminals are written by libuv's streams if we can have a description of our own, and
--- everything else by its threads: a descriptor that other programs share keeps its flags.
local call = require "stagehost.io.call"
local descriptors = require "stagehost.io.descriptor"
local progress = require "stagehost.engine.progress"
local stagehost = require "stagehost"
local streams = require "stagehost.io.stream"
local uv = require "luv"

local M = {}

local WRITE_NON_BLOCKING = uv.constants.O_WRONLY + uv.constants.O_NONBLOCK
local OPEN_AGAIN_MS = 50

---@class stagehost.io.Writer
---@field private users integer
---@field write fun(self, data: string): boolean?, string?, string?, integer?
---@field close fun(self): boolean?, string?

---@class stagehost.io.FileWriter: stagehost.io.Writer
local File = {}
File.__index = File

--- Waits for a descriptor that is full, and that another program has made non-blocking.
local function wait_until_writable(fd)
    local poll = uv.new_poll(fd)
    call.wait(uv.poll_start, poll, "w")
    uv.close(poll)
end

---@param data string
---@return boolean? ok nil if not all of it was written
---@return string? message
---@return string? code
---@return integer? n_written bytes that were written before the failure
function File:write(data)
    local done, fd = 0, self.descriptor.fd
    while done < #data do
        local rest = done == 0 and data or data:sub(done + 1)
        local n, message, code = call.wait(uv.fs_write, fd, rest, -1)
        if n then
            done = done + n
        elseif code == "EAGAIN" then
            wait_until_writable(fd)
        else
            return nil, message, code, done
        end
    end
    return true
end

function File:shut()
    return self.descriptor:close()
end

---@class stagehost.io.StreamWriter: stagehost.io.Writer
local Stream = {}
Stream.__index = Stream

--- Like File:write(), but the number of bytes written before a failure is not known.
function Stream:write(data)
    return call.wait(uv.write, self.stream.handle, data)
end

function Stream:shut()
    self.stream:close()
    return true
end

--- Closes the writer if this is its last user. Waits.
---@return boolean? ok nil if closing failed, so that what was written may be lost
---@return string? message
local function close(self)
    self.users = self.users - 1
    if self.users > 0 then
        return true
    end
    if M.stdout == self then
        M.stdout = nil
    end
    return self:shut()
end

File.close, Stream.close = close, close

local function new_file(descriptor)
    return setmetatable({ descriptor = descriptor, users = 1 }, File)
end

local function new_writer(descriptor)
    local kind = uv.guess_handle(descriptor.fd)
    if kind == "tty" then
        progress.hide()
    end
    if not streams.is_stream(kind) or not descriptor:is_own() then
        return new_file(descriptor)
    end
    local stream, message = streams.open(descriptor, kind, false)
    return stream and setmetatable({ stream = stream, users = 1 }, Stream), message
end

local function open_stdout()
    -- Text that the script has printed so far comes first.
    io.stdout:flush()
    local stat, message = call.wait(uv.fs_fstat, descriptors.STDOUT)
    if not stat then
        return nil, message
    end
    local is_tty = uv.guess_handle(descriptors.STDOUT) == "tty"
    local own = (is_tty or stat.type == "fifo")
        and descriptors.reopen(descriptors.STDOUT, WRITE_NON_BLOCKING)
    return own or descriptors.borrow(descriptors.STDOUT)
end

--- Opens a path. As in every program, opening a named pipe waits for its reader, but here no thread is blocked.
local function open_fifo(path)
    while true do
        local descriptor, message, code = descriptors.open(path, WRITE_NON_BLOCKING)
        if code ~= "ENXIO" then
            return descriptor, message
        end
        stagehost.sleep(OPEN_AGAIN_MS)
    end
end

local function open_path(path, append)
    local stat = call.wait(uv.fs_stat, path)
    if stat and stat.type == "fifo" then
        return open_fifo(path)
    end
    return descriptors.open(path, append and "a" or "w")
end

--- The name of a path in errors and reports.
---@param path string
---@return string
function M.display(path)
    return path == "-" and "standard output" or path
end

--- Opens a path for writing. All users of standard output on this worker share one writer: their texts do not mix.
---@param path string "-": standard output
---@param append? boolean keep what is in the file
---@return stagehost.io.Writer? nil if it can't be written
---@return string? message
function M.open(path, append)
    if path == "-" and M.stdout then
        M.stdout.users = M.stdout.users + 1
        return M.stdout
    end
    local descriptor, message
    if path == "-" then
        descriptor, message = open_stdout()
    else
        descriptor, message = open_path(path, append)
    end
    if not descriptor then
        return nil, message
    end
    local writer
    writer, message = new_writer(descriptor)
    if path == "-" and writer then
        -- open_stdout waits: another sink may have been here meanwhile. Both writers are good.
        M.stdout = M.stdout or writer
    end
    return writer, message
end

return M
