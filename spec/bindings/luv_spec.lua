-- SPDX-License-Identifier: MIT

--- luv on a loop that the host runs.
local stagehost = require "stagehost"
local uv = stagehost.uv

describe("luv", function()
    it("is the module of that name", function()
        assert.equal(require "luv", uv)
    end)

    it("refuses to run or end the loop", function()
        for _, name in ipairs { "run", "stop", "loop_close" } do
            local ok, message = pcall(uv[name])
            assert.is_false(ok)
            assert.matches("uv." .. name .. ": the host runs this loop", message)
        end
    end)

    it("walks over its own handles only", function()
        local timer = uv.new_timer()
        local found = {}
        uv.walk(function(handle)
            found[tostring(handle)] = true
        end)
        assert.is_true(found[tostring(timer)])
        for name in pairs(found) do
            assert.not_matches("prepare", name)
        end
        timer:close()
    end)

    it("goes on after a callback that fails", function()
        local done
        uv.new_timer():start(0, 0, function()
            error({})
        end)
        uv.new_timer():start(1, 0, function()
            done = true
        end)
        stagehost.sleep(10)
        assert.is_true(done)
    end)

    it("has no stage in its callbacks, which can send but not wait", function()
        local me, seen, ok, message = stagehost.self(), {}, nil, nil
        uv.new_timer():start(0, 0, function()
            seen.self = stagehost.self()
            ok, message = pcall(stagehost.sleep, 1)
            seen.me = me:is_alive()
        end)
        stagehost.sleep(10)
        assert.same({ me = true }, seen)
        assert.is_false(ok)
        assert.matches("only a callback of a stage can wait", message)
    end)

    it("runs work in threads, whose errors end nothing", function()
        local results = {}
        local work = uv.new_work(function(n)
            return n * 2
        end, function(n)
            results[#results + 1] = n
            error("after work")
        end)
        work:queue(21)
        uv.new_thread(function()
            error("in a thread")
        end):join()
        for _ = 1, 200 do
            if results[1] then
                break
            end
            stagehost.sleep(5)
        end
        assert.same({ 42 }, results)
    end)

    it("is cleaned up with the host, whatever is still open", function()
        -- Left open on purpose; the leak checks see what becomes of it.
        local server = uv.new_tcp()
        server:bind("127.0.0.1", 0)
        server:listen(8, function() end)
        uv.new_timer():start(1000000, 0, function() end)
        uv.new_pipe(false)
        uv.fs_stat("/", function() end)
    end)

    it("holds the end of the program up for a moment only, when a request blocks", function()
        local script = [[
            local uv = require "luv"
            uv.fs_read(uv.pipe().read, 1, -1, function() end)
        ]]
        assert.equal(0, os.execute(("timeout 20 %s -e '%s'"):format(os.getenv "STAGEHOST", script)))
    end)
end)
