-- SPDX-License-Identifier: MIT

--- Lets the script's own coroutines be where an engine wait happens. The wait token that such a
--- coroutine yields is no value of the script's: whoever resumed it yields it on, and resumes the
--- coroutine with what comes back. So it ends in the engine, which suspends the stage. Everything
--- else is as in plain Lua. Internal: run once for each Lua state.
local create, resume, yield = coroutine.create, coroutine.resume, coroutine.yield
local type = type

-- A coroutine in a coroutine takes C stack; two levels are so common that they are not checked.
local UNCHECKED = 2
-- Each coroutine has its own Lua stack, and each level of coroutine.wrap adds a position to an error that
-- passes it: the time that takes grows with the square of the depth.
local MOST_LEVELS = 2000

--- Replaces coroutine.resume and coroutine.wrap.
---@param token lightuserdata
---@param check fun() raises when too little C stack is left
return function(token, check)
    local depth = 0 -- of resumes that have not returned

    local function enter()
        if depth >= UNCHECKED then
            check()
            if depth == MOST_LEVELS then
                error("C stack overflow", 0)
            end
        end
        depth = depth + 1
    end

    local pass, unwrap

    -- The stage has been resumed: so is the coroutine that waited.
    local function continue(finish, co, ...)
        enter()
        return finish(co, resume(co, ...))
    end

    function pass(co, ...)
        depth = depth - 1
        local ok, first = ...
        if first == token and ok then
            return continue(pass, co, yield(token))
        end
        return ...
    end

    -- A string gets the position of the caller put before it, as coroutine.wrap does.
    function unwrap(co, ok, ...)
        depth = depth - 1
        if not ok then
            error(..., 2)
        elseif ... == token then
            return continue(unwrap, co, yield(token))
        end
        return ...
    end

    function coroutine.resume(co, ...)
        if type(co) ~= "thread" then
            return resume(co) -- raises
        end
        enter()
        return pass(co, resume(co, ...))
    end

    function coroutine.wrap(f)
        local co = create(f)
        return function(...)
            enter()
            return unwrap(co, resume(co, ...))
        end
    end
end
