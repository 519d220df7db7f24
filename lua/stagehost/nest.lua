-- SPDX-License-Identifier: MIT

--- Lets the script's own coroutines be where an engine wait happens. The wait token that such a
--- coroutine yields is no value of the script's: whoever resumed it yields it on, and resumes the
--- coroutine with what comes back, so that it ends in the engine, which suspends the stage.
--- Everything else is as in plain Lua. Internal: run once for each Lua state.
local create, resume, yield = coroutine.create, coroutine.resume, coroutine.yield

--- Replaces coroutine.resume and coroutine.wrap.
---@param token lightuserdata
return function(token)
    local function pass(co, ...)
        local ok, first = ...
        if first == token and ok then
            return pass(co, resume(co, yield(token)))
        end
        return ...
    end

    -- A string gets the position of the caller put before it, as coroutine.wrap does.
    local function unwrap(co, ok, ...)
        if ok then
            if ... == token then
                return unwrap(co, resume(co, yield(token)))
            end
            return ...
        end
        error(..., 2)
    end

    function coroutine.resume(co, ...)
        return pass(co, resume(co, ...))
    end

    function coroutine.wrap(f)
        local co = create(f)
        return function(...)
            return unwrap(co, resume(co, ...))
        end
    end
end
