-- SPDX-License-Identifier: MIT

--- Descriptors of files. The stage waits while one is opened, and each is closed once. If the stage was killed,
--- and so could not close its descriptor, the collector closes it.
local call = require "stagehost.io.call"
local uv = require "luv"

local M = {}

M.STDIN, M.STDOUT = 0, 1

local READ_WRITE_ALL = 438 -- rw-rw-rw-, less the umask

---@class stagehost.io.Descriptor
---@field fd integer
---@field private guard? userdata nil: closed, or not ours to close
local Descriptor = {}
Descriptor.__index = Descriptor

local function new_guard(fd)
    local guard = newproxy(true)
    getmetatable(guard).__gc = function()
        uv.fs_close(fd)
    end
    return guard
end

--- Makes an object of an open descriptor that other code closes.
---@param fd integer
---@return stagehost.io.Descriptor
function M.borrow(fd)
    return setmetatable({ fd = fd }, Descriptor)
end

--- Opens a file. Waits. `flags` are those of luv's fs_open.
---@param path string
---@param flags string|integer
---@return stagehost.io.Descriptor? nil if it can't be opened
---@return string? message
---@return string? code
function M.open(path, flags)
    local fd, message, code = call.wait(uv.fs_open, path, flags, READ_WRITE_ALL)
    if not fd then
        return nil, message, code
    end
    return setmetatable({ fd = fd, guard = new_guard(fd) }, Descriptor)
end

--- Opens another description of the pipe or terminal that `fd` is open on. It may be set to
--- non-blocking without changing that for the programs that share `fd`. Returns nil where that does not work: for
--- sockets, for files that belong to another user, and on systems other than Linux.
---@param fd integer
---@param flags integer
---@return stagehost.io.Descriptor?
function M.reopen(fd, flags)
    return (M.open("/proc/self/fd/" .. fd, flags))
end

--- Whether `fd` is an end of a pipe that has no name in the file system.
---@param fd integer
---@return boolean
function M.is_anonymous_pipe(fd)
    local target = uv.fs_readlink("/proc/self/fd/" .. fd)
    return target ~= nil and target:find("^pipe:") ~= nil
end

--- Whether the descriptor was opened here, so that no other program shares its flags.
---@return boolean
function Descriptor:is_own()
    return self.guard ~= nil
end

--- Hands `fd` over: from now on the caller has to close it, or to pass it on.
---@return integer fd
function Descriptor:take()
    if self.guard then
        getmetatable(self.guard).__gc = nil
        self.guard = nil
    end
    return self.fd
end

--- Closes the descriptor and waits: some file systems report only now that a write has failed.
---@return boolean? ok nil if it failed
---@return string? message
function Descriptor:close()
    if not self.guard then
        return true
    end
    return call.wait(uv.fs_close, self:take())
end

--- Closes a descriptor that was only read, without waiting.
function Descriptor:release()
    if self.guard then
        uv.fs_close(self:take(), function() end)
    end
end

return M
