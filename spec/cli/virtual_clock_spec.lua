-- SPDX-License-Identifier: MIT
--
-- The virtual clock of the command: hours pass in no time, and a run that waits for ever ends.
local command = require "spec.support.command"

local function run(code)
    return command.run("$S --virtual-clock x.lua", { ["x.lua"] = 'local stagehost = require "stagehost"\n' .. code })
end

describe("a virtual clock", function()
    it("passes sleeps, timers, intervals and the time of calls without waiting", function()
        local result = run [[
            local began = stagehost.now()
            local function passed() return stagehost.now() - began end
            stagehost.sleep(3600e3)
            print(passed())
            local Mute = stagehost.process { handle_call = function() return stagehost.noreply end }
            print(select(3, stagehost.start(Mute, { name = "mute" }):call("x", 5000)), passed())
            stagehost.whereis("mute"):kill()
            local sink = stagehost.sink.collect_from(stagehost.start(stagehost.source.interval(60000, 5)))
            print(#sink, passed())
            print(stagehost.uv.hrtime() / 1e6 - stagehost.now())
        ]]
        assert.are.equal("3600000\ntimeout\t3605000\n5\t3905000\n0\n", result.out, result.err)
        assert.are.equal(0, result.status)
    end)

    it("lets a rate take its time", function()
        local result = run [[
            local began = stagehost.now()
            local list = {}
            for i = 1, 300 do list[i] = i end
            local source = stagehost.start(stagehost.source.list(list), { rate = { events = 10, per_ms = 1000 } })
            print(#stagehost.sink.collect_from(source), math.floor((stagehost.now() - began) / 1000))
        ]]
        assert.are.equal("300\t29\n", result.out, result.err)
    end)

    it("does not leap while a request of luv is in flight", function()
        local result = run [[
            local uv = stagehost.uv
            local began, stat = stagehost.now(), nil
            local timer = stagehost.process {
                handle_info = function() print("late", stat ~= nil) return stagehost.stop() end,
                init = function() stagehost.send_after(1, "x") uv.fs_stat(".", function(_, s) stat = s end) end }
            stagehost.start(timer):join()
            local child = stagehost.await(function(f) uv.spawn("sleep", { args = { "0.05" } }, f) end)
            print(child, stagehost.now() - began)
        ]]
        assert.are.equal("late\ttrue\n0\t1\n", result.out, result.err)
    end)

    it("moves on under stages that never come to rest", function()
        local result = run [[
            local Endless = stagehost.producer { handle_demand = function(_, n)
                local list = {}
                for i = 1, n do list[i] = i end
                return list
            end }
            local source = stagehost.start(Endless)
            stagehost.start(stagehost.consumer { handle_events = function() end }, { subscribe_to = { source } })
            stagehost.sleep(20)
            source:kill()
            print "slept"
            stagehost.exit_status(0)
        ]]
        assert.are.equal("slept\n", result.out, result.err)
    end)

    it("shows the delays between tries, up to their cap, and what is random of them", function()
        local function times(options)
            local result = run(([[
                local began, seen = stagehost.now(), {}
                local Failing = stagehost.consumer { handle_events = function()
                    seen[#seen + 1] = math.floor(stagehost.now() - began)
                    error "no"
                end }
                local source = stagehost.start(stagehost.source.list { 1 })
                stagehost.start(Failing, { subscribe_to = { source },
                    on_error = { "retry", %s, after = "skip" } }):join()
                print(table.concat(seen, " "))
            ]]):format(options))
            return result.out, result.err
        end
        local out, err = times "times = 4, delay = 100, factor = 3, cap = 500"
        assert.are.equal("0 100 400 900 1400\n", out, err)
        assert.matches("try 2 of 5 failed, next in 300 ms", err, 1, true)
        local a, b = times("times = 2, delay = 1000, factor = 1, jitter = 0.5"):match "^0 (%d+) (%d+)\n$"
        a, b = tonumber(a), tonumber(b)
        assert.is_true(a >= 500 and a <= 1000 and b - a >= 500 and b - a <= 1000 and b ~= 2 * a, a .. " " .. b)
    end)

    it("lets a callback say when its batch is to be tried again", function()
        local result = run [[
            local began, seen = stagehost.now(), {}
            local Busy = stagehost.consumer { handle_events = function(_, events)
                seen[#seen + 1] = math.floor(stagehost.now() - began)
                if #seen < 3 then return stagehost.retry_in(#seen * 2000, "busy") end
                seen[#seen + 1] = #events
                if #seen == 5 then return { stagehost.retry_in(1) } end
            end }
            local source = stagehost.start(stagehost.source.list { "a", "b" })
            local options = { "retry", times = 3, delay = 1, after = "skip" }
            stagehost.start(Busy, { subscribe_to = { source }, on_error = options }):join()
            print(table.concat(seen, " "))
            local Wrong = stagehost.consumer { handle_events = function() return stagehost.retry_in(1) end }
            source = stagehost.start(stagehost.source.list { 1 })
            stagehost.start(Wrong, { subscribe_to = { source } }):join()
        ]]
        assert.are.equal("0 2000 6000 2\n", result.out, result.err)
        assert.matches("try 2 of 4 failed, next in 4000 ms (2 events): busy", result.err, 1, true)
        assert.matches('stagehost.retry_in: the stage needs on_error = \\"retry\\"', result.err, 1, true)
    end)

    it("refuses raw timers of libuv", function()
        local result = run "print(select(2, pcall(stagehost.uv.new_timer)))"
        assert.matches("uv.new_timer: a timer of libuv does not follow the virtual clock", result.out, 1, true)
    end)

    it("tells what each stage waits for, and ends, when nothing can run any more", function()
        local result = run [[
            local Mute = stagehost.process { handle_call = function() return stagehost.noreply end }
            stagehost.start(Mute, { name = "mute" }):call("x", math.huge)
        ]]
        assert.are.equal(75, result.status)
        assert.matches("nothing can run any more: every stage waits", result.err, 1, true)
        assert.matches("(init waits for an answer of mute)", result.err, 1, true)
    end)

    it("needs one worker", function()
        local result = command.run "$S --virtual-clock -w 2 -e 'x()'"
        assert.are.equal(64, result.status)
        assert.matches("a virtual clock (--virtual-clock, STAGEHOST_VIRTUAL_CLOCK) needs one worker, not 2; add -w 1",
            result.err, 1, true)
    end)
end)
