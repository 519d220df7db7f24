-- SPDX-License-Identifier: MIT

--- Reads bytes of a file, a pipe, a terminal or a socket, one chunk for each request. The chunk goes
--- to a callback and not to a waiting stage: a stage that waited for a silent pipe could not be
--- stopped.
local cached_read = require "stagehost.native.cached_read"
local call = require "stagehost.io.call"
local descriptors = require "stagehost.io.descriptor"
local ranges = require "stagehost.io.range"
local streams = require "stagehost.io.stream"
local uv = require "luv"

local M = {}

local READ = uv.constants.O_RDONLY
local READ_NON_BLOCKING = READ + uv.constants.O_NONBLOCK

-- Before a read after a pause of this length the size of the file is checked. A check for every read would
-- cost too much, and a file that is cut below the position ends there anyway.
local PAUSE_MS = 100

---@alias stagehost.io.OnRead fun(failure: string?, chunk: string?, cut: stagehost.io.Cut?)

--- The sizes of a file that has become shorter.
---@class stagehost.io.Cut
---@field read integer bytes that were read of it
---@field before integer bytes it had
---@field now integer bytes it has

---@class stagehost.io.Reader
---@field may_read_ahead? boolean what is read and not used is not lost: it is a file that nobody else reads
---@field private callback? stagehost.io.OnRead of the read that is going on

---@class stagehost.io.FileReader: stagehost.io.Reader
---@field private size? integer the largest size seen; nil: its size does not matter
---@field private n_read integer bytes
---@field private range? stagehost.io.Range nil: all of the file
---@field private looked_at integer when its size was last checked, in milliseconds
local File = {}
File.__index = File

---@param size? integer watched from here on, unless it is nil
---@param range? stagehost.io.Range
local function new_file(descriptor, size, chunk_size, range)
    local self = setmetatable({ descriptor = descriptor, chunk_size = chunk_size, range = range }, File)
    self.size, self.n_read, self.looked_at = size, range and range.position or 0, uv.now()
    self.may_read_ahead = size ~= nil
    self.on_read = function(err, data)
        if self.closed or err then
            self:answer(err)
        elseif data ~= "" then
            self:take(data)
        else
            self:look(self.on_end)
        end
    end
    self.on_end = function(cut)
        self:answer(nil, nil, cut)
    end
    self.on_look = function(cut)
        if cut then
            self:answer(nil, nil, cut)
        else
            self:read_chunk()
        end
    end
    return self
end

---@private
function File:answer(err, chunk, cut)
    local callback = self.callback
    self.callback = nil
    if self.closed then
        self.descriptor:release()
    else
        callback(err and call.describe(err) or nil, chunk, cut)
    end
end

---@private
function File:request(f, ...)
    local ok, err = f(self.descriptor.fd, ...)
    if not ok then
        error(err, 0)
    end
end

---@private
function File:read_chunk()
    local range = self.range
    if not range then
        return self:request(uv.fs_read, self.chunk_size, -1, self.on_read)
    end
    local n = range:wanted(self.chunk_size)
    if n == 0 then
        return self:look(self.on_end)
    end
    self:request(uv.fs_read, n, range.position, self.on_read)
end

---@private
function File:take(data)
    self.n_read = self.n_read + #data
    local chunk = self.range and self.range:take(data) or data
    if chunk == "" then
        self:read_chunk()
    else
        self:answer(nil, chunk)
    end
end

--- Checks the size that the file has now: calls done(cut) if it was cut, which is reported once.
---@private
function File:judge(size, done)
    local function report()
        local before = math.max(self.size, self.n_read)
        self.size = nil
        done { read = self.n_read, before = before, now = size }
    end
    if size < self.size then
        report()
    elseif size >= self.n_read then
        self.size = size
        done()
    else
        -- Files that the system generates, such as those in /proc, have more bytes than their size says. In
        -- a file that was cut, the last byte that was read is not there any more.
        self:request(uv.fs_read, 1, self.n_read - 1, function(err, byte)
            if err or byte ~= "" then
                done()
            else
                report()
            end
        end)
    end
end

---@private
---@param done fun(cut: stagehost.io.Cut?)
function File:look(done)
    if not self.size then
        return done()
    end
    self:request(uv.fs_fstat, function(err, stat)
        self.looked_at = uv.now()
        if self.closed or err then
            self:answer(err)
        else
            self:judge(stat.size, done)
        end
    end)
end

--- Reads once. The callback gets (failure), (nil, chunk), (nil, nil) at the end, or (nil, nil, cut)
--- if the file is shorter than it was: that is reported once, and reading may go on. The callback is not called
--- after close().
---@param callback stagehost.io.OnRead
function File:read(callback)
    self.callback = callback
    if self.size and uv.now() - self.looked_at >= PAUSE_MS then
        self:look(self.on_look)
    else
        self:read_chunk()
    end
end

--- The next chunk, if the system has it in memory; this does not wait, and leaves the usual read to find out why
--- there is none. Only between reads.
---@return string? chunk
function File:read_now()
    if not self.size or uv.now() - self.looked_at >= PAUSE_MS then
        return nil
    end
    local range = self.range
    while true do
        local n = range and range:wanted(self.chunk_size) or self.chunk_size
        local data = n > 0 and cached_read(self.descriptor.fd, n, range and range.position or -1)
        if not data then
            return nil
        end
        self.n_read = self.n_read + #data
        local chunk = range and range:take(data) or data
        if chunk ~= "" then
            return chunk
        end
    end
end

--- Closes the file after a read that is going on: its descriptor must not become another file's meanwhile.
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

--- There is nothing to read without waiting.
---@return nil
function Stream.read_now()
end

--- Reads once, like File:read().
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

--- Opens standard input. A new reader of a named pipe would not notice that its writers had gone
--- before it came, so a named pipe is read through the descriptor as it is.
local function open_stdin()
    local kind = uv.guess_handle(descriptors.STDIN)
    local reopen = kind == "tty"
        or kind == "pipe" and descriptors.is_anonymous_pipe(descriptors.STDIN)
    return reopen and descriptors.reopen(descriptors.STDIN, READ_NON_BLOCKING)
        or descriptors.borrow(descriptors.STDIN)
end

--- Opens a path. A named pipe is opened without blocking, so that nothing hangs until it has a writer.
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

--- The name of a path in errors and reports.
---@param path string
---@return string
function M.display(path)
    return path == "-" and "standard input" or path
end

--- Opens a path for reading. Waits.
---@param path string "-": standard input
---@param chunk_size integer bytes to read at once
---@param part? { from: integer, to: integer, size: integer } the range of a regular file whose lines are read, and the
--- size it had when the range was chosen
---@return stagehost.io.Reader? nil if it can't be read
---@return string? message
function M.open(path, chunk_size, part)
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
    if part then
        return new_file(descriptor, part.size, chunk_size, ranges.new(part.from, part.to, part.size))
    end
    local kind = uv.guess_handle(descriptor.fd)
    if streams.is_stream(kind) then
        local stream
        stream, message = streams.open(descriptor, kind, true)
        return stream and new_stream(stream), message
    end
    -- The file at standard input is shared with other programs, which may change it on purpose.
    return new_file(descriptor, path ~= "-" and file_size(stat) or nil, chunk_size)
end

--- Checks a path before it is read: returns its size, or nil if it has none. Waits. A named
--- pipe is not opened: its writer would take this for the reader.
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
