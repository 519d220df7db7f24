-- SPDX-License-Identifier: MIT
--
-- Signals: a drain that loses nothing, a stop that says what it lost, and a dump.
local command = require "spec.support.command"
local run = command.run

-- Counts without end; the consumer takes its time and prints what it got.
local counter = [[
    local stagehost = require "stagehost"
    local pause = tonumber(arg[1])
    local Numbers = stagehost.producer {
        init = function(self) self.n = 0 end,
        handle_demand = function(self, demand)
            local events = {}
            for i = 1, demand do events[i] = self.n + i end
            self.n = self.n + demand
            return events
        end,
        terminate = function(self) print("emitted", self.n) end,
    }
    local Slow = stagehost.consumer {
        handle_events = function(self, events)
            for _, event in ipairs(events) do
                stagehost.sleep(pause)
                self.last = event
            end
            io.stderr:write("working\n")
        end,
        terminate = function(self) print("received", self.last) end,
    }
    local numbers = stagehost.start(Numbers, { name = "numbers" })
    stagehost.start(Slow, { name = "slow", subscribe_to = { { to = numbers, max_demand = 20 } } })
]]

-- Starts $S in the background and waits until it works; then the signals; then the status.
local frame = [[
    $S %s >out 2>err & pid=$!
    wait_for err working
    %s
    wait $pid; status=$?
    cat out; cat err >&2; exit $status
]]

local function signal(arguments, signals, script)
    return run(frame:format(arguments, signals), { ["a.lua"] = script or counter })
end

local function assert_has(text, part)
    assert.is_truthy(text:find(part, 1, true), ("%q has no %q"):format(text, part))
end

describe("TERM and INT", function()
    it("drain: all that was emitted arrives, status 0", function()
        for _, name in ipairs { "TERM", "INT" } do
            local r = signal("a.lua 1", "kill -" .. name .. " $pid")
            assert.are.equal(0, r.status)
            local emitted, received = r.out:match("emitted\t(%d+)"), r.out:match("received\t(%d+)")
            assert.is_truthy(emitted)
            assert.are.equal(emitted, received)
            assert_has(r.err, "SIG" .. name .. ": draining for at most 30 s")
        end
    end)

    it("twice: stop at once, status 75, with what is left and where", function()
        local r = signal("a.lua 50", "kill -TERM $pid; wait_for err draining; sleep 0.6; kill -TERM $pid")
        assert.are.equal(75, r.status)
        assert_has(r.err, "SIGTERM again: stopping at once")
        assert.is_truthy(r.err:find('msg="stopped before the drain was complete; %d+ events are unfinished"'))
        assert.is_truthy(r.err:find('msg="%d+ events unfinished: [^"]+" stage=slow'))
    end)

    it("twice within half a second are one", function()
        local r = signal("a.lua 5",
            "kill -TERM $pid; wait_for err draining; kill -TERM $pid; kill -INT $pid; kill -TERM $pid")
        assert.are.equal(0, r.status)
        assert.is_nil(r.err:find("again", 1, true))
    end)

    it("with a drain that takes too long: status 75", function()
        local r = signal("--drain-timeout 100ms a.lua 50", "kill -TERM $pid")
        assert.are.equal(75, r.status)
        assert_has(r.err, "stopped before the drain was complete")
    end)

    it("let a script put its stages together before they drain", function()
        local r = run("$S -w 2 a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local Pass = stagehost.producer_consumer { handle_events = function(_, events) return events end }
            local pass = assert(stagehost.start(Pass, { worker = 1 }))
            stagehost.uv.kill(stagehost.uv.os_getpid(), "sigterm")
            local source = assert(stagehost.start(stagehost.source.list { 1, 2 }, { demand = "accumulate" }))
            local sink = assert(stagehost.start(stagehost.sink.collect()))
            assert(sink:subscribe { to = pass, cancel = "temporary" })
            assert(pass:subscribe { to = source })
            source:demand "forward"
            local result = assert(sink:call("finish", math.huge))
            print(unpack(result.events))
        ]] })
        assert.are.equal("1\t2\n", r.out, r.err)
        assert.are.equal(0, r.status)
    end)

    it("do not wait for a script that puts stages together for ever", function()
        local r = run("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local nothing = stagehost.process {}
            local source = stagehost.start(stagehost.source.list { 1 }, { demand = "accumulate" })
            stagehost.uv.kill(stagehost.uv.os_getpid(), "sigterm")
            while source:is_alive() do
                stagehost.start(nothing):kill()
            end
            print "drained"
        ]] })
        assert.are.equal("drained\n", r.out, r.err)
    end)

    it("end a script that sleeps", function()
        local r = signal("a.lua", "kill -TERM $pid",
            'io.stderr:write "working\\n" while true do require "stagehost".sleep(1e6) end')
        assert.are.equal(0, r.status)
    end)

    it("end a process whose handle_call sleeps, and tell who waits for it", function()
        local r = signal("a.lua", "kill -TERM $pid", [[
            local stagehost = require "stagehost"
            local sleeper = stagehost.start(stagehost.process {
                handle_call = function()
                    io.stderr:write "working\n"
                    stagehost.sleep(1e6)
                end,
            })
            print(select(3, sleeper:call("x", math.huge)))
        ]])
        assert.are.equal(0, r.status)
        assert.are.equal("shutdown\n", r.out)
    end)

    it("twice: end even a callback that does not return", function()
        if os.getenv("STAGEHOST_SANITIZER") == "thread" then
            pending("ThreadSanitizer delivers a signal only when the program next calls the C library")
            return
        end
        -- A call in the loop: ThreadSanitizer hands signals over when it sees one.
        local r = signal("a.lua", "kill -INT $pid; sleep 1.2; kill -INT $pid",
            'io.stderr:write "working\\n" while true do os.time() end')
        assert.are.equal(75, r.status)
        assert_has(r.err, "a callback does not return; the process ends without it")
    end)

    it("that were ignored when the command started stay ignored", function()
        local r = run([[
            (trap '' TERM; exec $S a.lua >out 2>err) & pid=$!
            wait_for err working; kill -TERM $pid; wait $pid
        ]], { ["a.lua"] = 'io.stderr:write "working\\n" require "stagehost".sleep(300)' })
        assert.are.equal(0, r.status)
        assert.are.equal("", r.err)
    end)
end)

describe("USR1", function()
    it("logs every stage with its demand and queues, on every worker", function()
        local r = signal("-w 2 a.lua 5",
            "kill -USR1 $pid; wait_for err stage=slow; wait_for err stage=far; kill -TERM $pid",
            counter .. [[
                stagehost.start(stagehost.process { handle_info = function() end }, { name = "far", worker = 1 })
            ]])
        assert.are.equal(0, r.status)
        for _, name in ipairs { "numbers", "slow", "far" } do
            local message = r.err:match('level=info msg="([^"]+)" stage=' .. name .. "\n")
            assert.is_truthy(message, name)
            assert_has(message, "buffered")
            assert_has(message, "queued")
        end
    end)
end)
