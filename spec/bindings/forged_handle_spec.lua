-- SPDX-License-Identifier: MIT

--- debug.setmetatable makes any userdata look like a handle. It is none, and one that was finalised
--- holds nothing.
local stagehost = require "stagehost"

--- A handle of each kind: a stage, a subscription, a timer, a call, a waker.
local function handles()
    local made = {}
    local Consumer = stagehost.consumer {
        handle_subscribe = function(_, _, _, subscription)
            made.subscription = made.subscription or subscription
        end,
        handle_events = function() end,
        handle_call = function(_, _, from)
            made.call = from
            return stagehost.noreply
        end,
    }
    local Producer = stagehost.producer { handle_demand = function() end }
    local producer = assert(stagehost.start(Producer))
    local consumer = assert(stagehost.start(Consumer))
    assert(consumer:subscribe { to = producer })
    assert.is_nil((consumer:call("never answered", 10)))
    made.stage, made.timer = consumer, stagehost.send_after(100000, "never")
    made.waker = require("stagehost.core").waker()
    return made, function()
        made.timer:cancel()
        consumer:stop()
        producer:stop()
    end
end

-- Metamethods that only look: at a name, or whether two values are the same.
local HARMLESS = { __gc = true, __eq = true, __index = true }

--- Calls every method and metamethod of a handle's type with something that is not of that type.
local function try_all(metatable, forged)
    local results = {}
    for _, functions in ipairs { metatable, type(metatable.__index) == "table" and metatable.__index or {} } do
        for name, f in pairs(functions) do
            if type(f) == "function" then
                results[name] = { pcall(f, forged) }
            end
        end
    end
    return results
end

describe("a forged handle", function()
    local made, stop

    setup(function()
        made, stop = handles()
    end)

    teardown(function()
        stop()
    end)

    it("is refused by every method, and ignored by finalizers", function()
        for kind, handle in pairs(made) do
            local metatable = debug.getmetatable(handle)
            for _, forged in ipairs { newproxy(), io.tmpfile(), require("string.buffer").new():put(("x"):rep(100)) } do
                local own = debug.getmetatable(forged)
                debug.setmetatable(forged, metatable)
                local results = try_all(metatable, forged)
                debug.setmetatable(forged, own)
                for name, result in pairs(results) do
                    assert.equal(HARMLESS[name] or false, result[1], kind .. "." .. name)
                end
            end
        end
    end)

    it("is refused when it is a handle of another kind", function()
        for kind, handle in pairs(made) do
            for other_kind, other in pairs(made) do
                if kind ~= other_kind then
                    local metatable = debug.getmetatable(handle)
                    for name, result in pairs(try_all(metatable, other)) do
                        assert.equal(HARMLESS[name] or false, result[1], kind .. "." .. name)
                    end
                end
            end
        end
        assert.is_true(made.stage:is_alive())
    end)

    it("does nothing to the process when it is collected", function()
        for _, handle in pairs(made) do
            debug.setmetatable(newproxy(), debug.getmetatable(handle))
        end
        collectgarbage()
        collectgarbage()
        assert.is_true(made.stage:is_alive())
    end)
end)

describe("a handle that was finalised by hand", function()
    it("is refused, or does nothing", function()
        local made, stop = handles()
        local stage = made.stage
        stop()
        for _, handle in pairs(made) do
            local metatable = debug.getmetatable(handle)
            metatable.__gc(handle)
            metatable.__gc(handle)
            try_all(metatable, handle)
        end
        assert.has_error(function() stage:is_alive() end)
    end)

    it("is replaced when the stage is met again", function()
        local Process = stagehost.process { handle_call = function() return "here" end }
        local stage = assert(stagehost.start(Process, { name = "met again" }))
        debug.getmetatable(stage).__gc(stage)
        local again = assert(stagehost.whereis "met again")
        assert.equal("here", again:call())
        again:stop()
    end)
end)
