-- SPDX-License-Identifier: MIT

--- Lets a script wait inside coroutines of its own. The wait token that such a coroutine yields is not a
--- value of the script: the coroutine that resumed it yields the token on, and later resumes it with the
--- values that come back. So the token reaches the engine, which suspends the stage. Everything else is as
--- in plain Lua. Internal: called once for each Lua state.
local create, resume, yield = coroutine.create, coroutine.resume, coroutine.yield
local type = type

-- A coroutine in a coroutine takes C stack. Two levels are so common that they are not checked.
local UNCHECKED = 2
-- Each coroutine has its own Lua stack, and each level of coroutine.wrap adds a position to an error that
-- passes it: the time for that grows with the square of the depth.
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

    -- The stage has been resumed, so the coroutine that waited is resumed too.
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

    -- An error that is a string is prefixed with the position of the caller, as coroutine.wrap does it.
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
