-- SPDX-License-Identifier: MIT

--- Waiting for functions that return their results through a callback.
local core = require "stagehost.core"

local function pack(...)
    return { n = select("#", ...), ... }
end

--- Calls `f(..., callback)` and suspends the current stage until the callback has been called; the rest of
--- the worker goes on. `f` may also call the callback at once.
---
---     local uv = stagehost.uv
---     local err, data = stagehost.await(uv.fs_read, fd, 4096, 0)
---
---@param f function
---@param ... any
---@return any ... the arguments of the callback; or the results of `f`, if these are nil and an error
local function await(f, ...)
    local waker = core.waker()
    local results, is_parked
    local args = pack(...)
    args[args.n + 1] = function(...)
        if results then
            return
        end
        results = pack(...)
        if is_parked then
            core.wake(waker)
        end
    end
    local returned = pack(f(unpack(args, 1, args.n + 1)))
    if not results and returned[1] == nil and returned[2] ~= nil then
        results = returned
    elseif not results then
        is_parked = true
        core.park(waker)
    end
    return unpack(results, 1, results.n)
end

return await
