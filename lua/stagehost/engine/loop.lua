-- SPDX-License-Identifier: MIT

--- Fits luv to a loop that the host runs and shares with it. Internal: called once for each Lua
--- state that requires luv.
local core = require "stagehost.core"

--- The registry, where luv keeps all handles that are open and all requests that are not done.
local registry = debug.getregistry()

--- The kind of object that a userdata in the registry is for luv.
---@return "handle" | "request" | nil
local function kind_of(uv, value)
    if pcall(uv.is_closing, value) then
        return "handle"
    elseif pcall(uv.req_get_type, value) then
        return "request"
    end
end

-- Requests that are done, but that luv never releases.
local done = setmetatable({}, { __mode = "k" })

local function each_open(uv, visit)
    local found = {}
    for key, value in pairs(registry) do
        if type(key) == "number" and type(value) == "userdata" then
            found[#found + 1] = value
        end
    end
    for _, value in ipairs(found) do
        local kind = not done[value] and kind_of(uv, value)
        if kind then
            visit(value, kind)
        end
    end
end

local function refuse(name, why)
    return function()
        error(("uv.%s: %s"):format(name, why), 2)
    end
end

local function report(message)
    core.callback_failed(debug.traceback(tostring(message), 2))
end

-- luv loads text or a dump in a thread of its own.
local function check_text(name, entry)
    if type(entry) == "string" and entry:byte() == 27 then
        error(("uv.%s: precompiled bytecode is refused, because LuaJIT does not verify it "
            .. "(--allow-bytecode, sh_lua_opts.allow_bytecode)"):format(name), 3)
    end
end

local function refuse_bytecode(uv)
    local new_thread, new_work = uv.new_thread, uv.new_work
    function uv.new_thread(entry, ...)
        check_text("new_thread", type(entry) == "table" and ... or entry)
        return new_thread(entry, ...)
    end
    function uv.new_work(work, ...)
        check_text("new_work", work)
        return new_work(work, ...)
    end
end

-- Under a virtual clock all time that scripts see is the host's.
local function follow_virtual_clock(uv)
    uv.new_timer = refuse("new_timer", "a timer of libuv does not follow the virtual clock of this host "
        .. "(use stagehost.send_after, stagehost.every or stagehost.sleep)")
    uv.sleep = refuse("sleep", "it would block the worker, and the virtual clock of this host would not notice "
        .. "(use stagehost.sleep)")
    function uv.hrtime()
        return core.now() * 1e6
    end
    function uv.now()
        return math.floor(core.now())
    end
end

--- Patches `uv`. Returns a function that closes or cancels everything that is open, and returns whether
--- there was anything.
---@param uv table
---@param allow_bytecode boolean
---@return fun(): boolean
return function(uv, allow_bytecode)
    if not allow_bytecode then
        refuse_bytecode(uv)
    end
    if core.has_virtual_clock() then
        follow_virtual_clock(uv)
    end
    local why = "the host runs this loop (to wait, use stagehost.sleep or stagehost.await)"
    uv.run = refuse("run", why)
    uv.stop = refuse("stop", why)
    uv.loop_close = refuse("loop_close", why)

    -- luv's own function would also find the handles of the host and of the program around it.
    function uv.walk(visit)
        each_open(uv, function(value, kind)
            if kind == "handle" then
                visit(value)
            end
        end)
    end

    -- This is the only callback that luv calls with a policy of its own: luv exits when it fails.
    local new_work = uv.new_work
    function uv.new_work(work, after, ...)
        local function checked(...)
            local args, n = { ... }, select("#", ...)
            xpcall(function()
                after(unpack(args, 1, n))
            end, report)
        end
        return new_work(work, type(after) == "function" and checked or after, ...)
    end

    -- luv never releases the request behind a listing, and a request that was not sent to the thread
    -- pool must not be cancelled.
    local fs_scandir = uv.fs_scandir
    function uv.fs_scandir(path, callback)
        if callback then
            return fs_scandir(path, function(problem, request)
                done[request or 0] = true
                callback(problem, request)
            end)
        end
        local request, message, name = fs_scandir(path)
        done[request or 0] = true
        return request, message, name
    end

    return function()
        local is_open = false
        each_open(uv, function(value, kind)
            if kind == "request" then
                is_open = true
                pcall(uv.cancel, value)
            else
                is_open = true
                if not uv.is_closing(value) then
                    uv.close(value)
                end
            end
        end)
        return is_open
    end
end
