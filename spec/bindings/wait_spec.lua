-- SPDX-License-Identifier: MIT

--- Callbacks that wait: sleep, await, and coroutines of the script's own in between.
local stagehost = require "stagehost"
local uv = stagehost.uv

--- What `f` returns, run in a callback of a stage of its own.
local function run(f)
    local results
    local Process = stagehost.process {
        handle_cast = function()
            results = { n = 0 }
            results = (function(...)
                return { n = select("#", ...), ... }
            end)(f())
        end,
    }
    local stage = assert(stagehost.start(Process))
    stage:cast("go")
    stage:stop()
    assert(results, "failed")
    return unpack(results, 1, results.n)
end

describe("sleep", function()
    it("suspends its stage alone", function()
        local order = {}
        local Process = stagehost.process {
            handle_cast = function(_, ms)
                stagehost.sleep(ms)
                order[#order + 1] = ms
            end,
        }
        local slow, fast = assert(stagehost.start(Process)), assert(stagehost.start(Process))
        slow:cast(300)
        fast:cast(1)
        fast:cast(2)
        fast:stop()
        slow:stop()
        assert.same({ 1, 2, 300 }, order)
    end)

    it("takes 0 and fractions, and refuses what is no time", function()
        assert.equal(0, select("#", stagehost.sleep(0)))
        stagehost.sleep(0.2)
        for _, wrong in ipairs { -1, 0 / 0, "x", {} } do
            assert.is_false((pcall(stagehost.sleep, wrong)))
        end
    end)

    it("says where it can't wait", function()
        local ok, message = pcall(table.sort, { 2, 1 }, function()
            stagehost.sleep(1)
        end)
        assert.is_false(ok)
        assert.matches("can't wait inside a C function", message)
    end)

    it("may be killed", function()
        local Process = stagehost.process {
            handle_cast = function()
                stagehost.sleep(100000)
            end,
        }
        local stage = assert(stagehost.start(Process))
        stage:cast("go")
        stagehost.sleep(1)
        stage:kill()
        stage:join()
        assert.is_false(stage:is_alive())
    end)
end)

describe("await", function()
    it("waits for a callback of luv", function()
        local err, stat = stagehost.await(uv.fs_stat, "/")
        assert.is_nil(err)
        assert.equal("directory", stat.type)
        err = stagehost.await(uv.fs_stat, "/no/such/file")
        assert.matches("ENOENT", err)
    end)

    it("takes a callback that is called at once", function()
        assert.same({ 3, 1, nil, 3 }, (function(...)
            return { select("#", ...), ... }
        end)(stagehost.await(function(a, callback)
            callback(a, nil, 3)
            callback("a second time")
        end, 1)))
    end)

    it("passes nils on, in and out, and many values", function()
        local n = select("#", stagehost.await(function(a, b, c, callback)
            assert(a == nil and b == 2 and c == nil)
            uv.new_timer():start(1, 0, function()
                callback(nil, unpack({}, 1, 200))
            end)
        end, nil, 2, nil))
        assert.equal(201, n)
    end)

    it("returns an immediate failure", function()
        local calls = 0
        local failed, message, name = stagehost.await(function(callback)
            uv.new_timer():start(1, 0, function()
                calls = calls + 1
                callback()
            end)
            return nil, "EINVAL: invalid", "EINVAL"
        end)
        assert.same({ nil, "EINVAL: invalid", "EINVAL" }, { failed, message, name })
        stagehost.sleep(5)
        assert.equal(1, calls)
    end)

    it("raises what the function raises", function()
        local ok, message = pcall(stagehost.await, function()
            error("boom", 0)
        end)
        assert.same({ false, "boom" }, { ok, message })
    end)

    it("lets the function wait before it calls back", function()
        assert.equal("done", stagehost.await(function(callback)
            stagehost.sleep(1)
            callback("done")
            stagehost.sleep(1)
        end))
    end)

    it("is woken by another stage", function()
        local wake
        local Waker = stagehost.process {
            handle_cast = function(_, value)
                wake(value)
            end,
        }
        local waker = assert(stagehost.start(Waker))
        assert.equal("up", stagehost.await(function(callback)
            wake = callback
            waker:cast("up")
        end))
        waker:stop()
    end)

    it("may be called back after its stage has ended", function()
        local wake
        local Process = stagehost.process {
            handle_cast = function()
                stagehost.await(function(callback)
                    wake = callback
                end)
            end,
        }
        do
            local stage = assert(stagehost.start(Process))
            stage:cast("go")
            stagehost.sleep(1)
            stage:kill()
            stage:join()
            wake(1)
        end
        collectgarbage()
        wake(2)
    end)
end)

describe("a coroutine of the script", function()
    it("may wait in any depth, and still yields its own values", function()
        local function generator(n)
            return coroutine.wrap(function()
                for i = 1, n do
                    stagehost.sleep(0)
                    coroutine.yield(i, nil)
                end
                return "end"
            end)
        end
        local outer = coroutine.wrap(function()
            local inner = generator(2)
            for _ = 1, 3 do
                coroutine.yield(inner())
            end
        end)
        assert.same({ 1, 2 }, { outer(), (outer()) })
        assert.equal("end", outer())
    end)

    it("gets results and errors through resume", function()
        assert.same({ true, 1, "x" }, { coroutine.resume(coroutine.create(function(...)
            stagehost.sleep(0)
            return ...
        end), 1, "x") })
        local ok, message = coroutine.resume(coroutine.create(function()
            stagehost.sleep(0)
            error("boom", 0)
        end))
        assert.same({ false, "boom" }, { ok, message })
    end)

    it("may go on in another callback", function()
        local iterate
        local Process = stagehost.process {
            handle_call = function()
                iterate = iterate or coroutine.wrap(function()
                    for i = 1, 2 do
                        stagehost.sleep(1)
                        coroutine.yield(i)
                    end
                end)
                return iterate()
            end,
        }
        local stage = assert(stagehost.start(Process))
        assert.equal(1, stage:call())
        assert.equal(2, stage:call())
        stage:stop()
    end)

    it("is not seen by plain functions: counts and nils are as in Lua", function()
        local co = coroutine.create(function(...)
            local n = select("#", ...)
            n = n + select("#", coroutine.yield(n, nil))
            return n
        end)
        assert.equal(3, select("#", coroutine.resume(co, nil, nil)))
        assert.equal(2, select("#", coroutine.resume(co, nil)))
        assert.equal("dead", coroutine.status(co))
        assert.same({ false, "cannot resume dead coroutine" }, { coroutine.resume(co) })
        assert.is_false((pcall(coroutine.resume, 3)))
        assert.is_false((pcall(coroutine.wrap, 3)))
    end)

    it("puts the caller's position before an error, as in Lua", function()
        local f = coroutine.wrap(function()
            error("boom", 0)
        end)
        local ok, message = pcall(function()
            f()
        end)
        assert.is_false(ok)
        assert.matches("^.*wait_spec.lua:%d+: boom$", message)
        local object = {}
        assert.equal(object, select(2, pcall(coroutine.wrap(function()
            error(object)
        end))))
    end)

    it("may wait in pcall, metamethods and iterators", function()
        assert.equal(6, run(function()
            local sum = 0
            local t = setmetatable({}, { __index = function(_, k)
                stagehost.sleep(0)
                return k
            end })
            pcall(function()
                sum = sum + t[1]
                stagehost.sleep(0)
                sum = sum + t[2]
            end)
            for i in (function(_, i)
                stagehost.sleep(0)
                return not i and 3 or nil
            end) do
                sum = sum + i
            end
            return sum
        end))
    end)
end)
