-- SPDX-License-Identifier: MIT
--
-- Callbacks that do not return: who names them, when, and what ends them.
local command = require "spec.support.command"
local run = command.run

-- arg: the kind of loop, the worker it runs on.
local stuck = [[
    local stagehost = require "stagehost"
    local loops = {
        compiled = function() local x = 0 while true do x = x + 1 end end,
        interpreted = function() while true do pcall(function() while true do pcall(error) end end) end end,
        c = function() stagehost.uv.sleep(30000) end,
    }
    local loop = loops[arg[1] ]
    local source = stagehost.start(stagehost.source.list { 1, 2, 3 })
    local Fed = stagehost.producer { handle_demand = function() end, handle_cast = function(_, list) return list end }
    stagehost.start(Fed, { name = "fed" }):cast { 1 }
    stagehost.start(stagehost.consumer {
        handle_events = function()
            io.stderr:write "working\n"
            loop()
        end,
    }, { name = "stuck", worker = tonumber(arg[2]), subscribe_to = { source } })
]]

local function start(options, arguments, signals)
    local frame = "$S %s a.lua %s >out 2>err & pid=$!; wait_for err working; %s; wait $pid; status=$?;"
        .. " cat err >&2; exit $status"
    return run(frame:format(options, arguments, signals or ":"), { ["a.lua"] = stuck })
end

-- In the background, as above: a process that went on for ever would be killed with the shell.
local function run_script(options, script)
    return run("$S " .. options .. " & wait $!", { ["a.lua"] = script })
end

local function assert_has(text, part)
    assert.is_truthy(text:find(part, 1, true), ("%q has no %q"):format(text, part))
end

local function assert_named(r, worker, where)
    local message, stage = r.err:match 'level=warn msg="does not return: ([^"]*)" stage=(%S+)'
    assert.is_truthy(message, r.err)
    assert.are.equal("stuck", stage)
    assert.is_truthy(message:find("^handle_events %(a.lua:12%) for [%d.]+ m?s on worker " .. worker), message)
    assert_has(message, where)
end

local function pending_with_threads()
    if os.getenv "STAGEHOST_SANITIZER" == "thread" then
        pending "ThreadSanitizer delivers a signal only when the program next calls the C library"
        return true
    end
end

local IN_COMPILED = "in compiled code or in C"

describe("the watchdog", function()
    it("ends what is interpreted, past every pcall, with its traceback", function()
        if pending_with_threads() then
            return
        end
        for worker = 0, 1 do
            local r = start("-w 2 --watchdog 200ms --on-stuck kill", "interpreted " .. worker)
            assert.are.equal(70, r.status, r.err)
            assert_has(r.err, "it does not return, the watchdog ends it: handle_events (a.lua:12) for ")
            assert_named(r, worker, "in function 'loop'")
            assert_has(r.err, 'msg="3 events unfinished: handle_events" stage=stuck')
        end
    end)

    it("ends the process if that is all that helps, and tells what the others had", function()
        for _, kind in ipairs { "compiled", "c" } do
            local r = start("-w 2 --watchdog 200ms --on-stuck kill", kind .. " 1")
            assert.are.equal(75, r.status, r.err)
            assert_named(r, 1, IN_COMPILED)
            assert_has(r.err, 'msg="1 event unfinished: buffer" stage=fed')
        end
    end)

    it("only names, without --on-stuck kill, and once", function()
        local r = start("-w 2 --watchdog 200ms", "compiled 1", "wait_for err 'not return'; sleep 0.5; kill -9 $pid")
        assert.are.equal(137, r.status)
        assert_named(r, 1, IN_COMPILED)
        assert.are.equal(1, select(2, r.err:gsub("does not return", "")))
    end)

    it("does not mind who waits", function()
        local r = run_script("--watchdog 50ms --on-stuck kill a.lua", 'require "stagehost".sleep(500)')
        assert.are.equal("", r.err)
        assert.are.equal(0, r.status)
    end)

    it("sees a script and a callback of luv", function()
        local options = "--watchdog 100ms --on-stuck kill a.lua"
        local r = run_script(options, "local x = 0 while true do x = x + 1 end")
        assert.are.equal(75, r.status)
        assert_has(r.err, "does not return: init (main chunk of a.lua) for ")
        r = run_script(options, [[
            local uv = require "luv"
            uv.new_timer():start(1, 0, function() uv.sleep(30000) end)
            require "stagehost".sleep(1e6)
        ]])
        assert.are.equal(75, r.status)
        assert_has(r.err, "does not return: a callback of luv for ")
    end)

    it("refuses what it does not know", function()
        local r = run "$S --on-stuck jump -e 'x = 1'"
        assert.are.equal(64, r.status)
        assert_has(r.err, "expected log or kill")
    end)
end)

describe("without a watchdog, a callback that does not return", function()
    it("is named by USR1", function()
        local r = start("-w 2", "compiled 1", "sleep 1.1; kill -USR1 $pid; wait_for err 'not return'; kill -9 $pid")
        assert_named(r, 1, IN_COMPILED)
    end)

    it("is named with the place of its own, though the library has wrapped others", function()
        local r = run([[$S -w 2 a.lua 2>err & pid=$!; wait_for err working; sleep 1.1; kill -USR1 $pid
            wait_for err 'not return'; kill -9 $pid; wait $pid; cat err >&2]], { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local pipeline = stagehost.pipeline { name = "p", stages = {
                { name = "source", stage = stagehost.source.list { 1 } },
                { name = "stuck", worker = 1, subscribe_to = "source", stage = stagehost.consumer {
                    handle_events = function()
                        io.stderr:write "working\n"
                        while true do end
                    end,
                } },
            } }
            assert(pipeline:start()):join()
        ]] })
        assert_has(r.err, "does not return: handle_events (a.lua:5) for ")
    end)

    it("is named at the end of a drain, which ends", function()
        -- Worker 0 is the thread that signals come to. ThreadSanitizer delivers one when the thread next
        -- calls the C library, which a compiled loop never does: neither TERM nor the alarm would arrive.
        for worker = os.getenv "STAGEHOST_SANITIZER" == "thread" and 1 or 0, 1 do
            local r = start("-w 2 --drain-timeout 100ms", "compiled " .. worker, "kill -TERM $pid")
            assert.are.equal(75, r.status)
            assert_has(r.err, "handle_events (a.lua:12) for ")
            assert_has(r.err, 'a callback does not return; the process ends without it')
        end
    end)

    it("does not keep os.exit on another worker", function()
        local r = run_script("-w 2 a.lua c 1", stuck .. [[
            stagehost.sleep(100)
            os.exit(3)
        ]])
        assert.are.equal(3, r.status)
        assert_has(r.err, "a callback does not return; the process ends without it")
    end)
end)
