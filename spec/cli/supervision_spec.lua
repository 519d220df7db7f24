-- SPDX-License-Identifier: MIT
--
-- Supervision seen from outside: the script of scripts/, exit statuses, logs, signals.
local command = require "spec.support.command"

local scripts = io.popen("pwd"):read("*l") .. "/scripts"

-- A source without an end, and a slow sink.
local PIPELINE = [[
local stagehost = require "stagehost"
local Source = stagehost.producer {
    init = function(self) self.n = 0 end,
    handle_demand = function(self, demand)
        local events = {}
        for i = 1, demand do
            self.n = self.n + 1
            events[i] = self.n
        end
        return events
    end,
}
local Sink = stagehost.consumer {
    handle_events = function(_, events) stagehost.sleep(1) end,
    terminate = function() print "sink ended" end,
}
local running = assert(stagehost.pipeline { name = "p", stages = {
    { name = "source", stage = Source },
    { name = "sink", stage = Sink, subscribe_to = { { to = "source", max_demand = 10 } } },
} }:start())
]]

describe("supervision", function()
    it("supervised_pipeline: the crash is survived, and the lost event is told", function()
        local header = {}
        for line in io.lines(scripts .. "/supervised_pipeline.lua") do
            header[#header + 1] = line:match("^%-%-   (.*)$")
        end
        local expected = table.concat(header, "\n", 2) .. "\n"
        for _, workers in ipairs { 1, 2, 8 } do
            local run = command.run(("$S -w %d %s/supervised_pipeline.lua"):format(workers, scripts))
            assert.equal(expected, run.out)
            assert.equal(75, run.status)
            assert.matches("5 is too much", run.err)
            assert.matches("1 event unfinished: handle_events", run.err)
            local _, crashes = run.err:gsub("level=error msg=[^\n]*5 is too much", "")
            assert.equal(1, crashes)
        end
    end)

    it("says that a child was killed after some time only when it was", function()
        local script = [[
            local stagehost = require "stagehost"
            local Child = stagehost.process {
                handle_exit = function() end,
                terminate = function() %s end,
            }
            local sup = assert(stagehost.start(stagehost.supervisor {
                children = { { id = "child", start = Child, shutdown = 100, options = { name = "child" } } },
            }))
            sup:stop()
        ]]
        local late = command.run("$S a.lua", { ["a.lua"] = script:format "stagehost.sleep(1e6)" })
        assert.matches('"child\\?" has not ended within 100 ms of being asked to: it was killed', late.err)
        local early = command.run("$S a.lua",
            { ["a.lua"] = script:format [[stagehost.whereis "child":kill() stagehost.sleep(1e6)]] })
        assert.is_nil(early.err:find("100 ms", 1, true), early.err)
    end)

    it("gives an end with a word of its own a sentence", function()
        local run = command.run("$S a.lua", { ["a.lua"] = [[
            local stagehost = require "stagehost"
            local Child = stagehost.process { handle_cast = function() return stagehost.stop "overload" end }
            stagehost.start(Child):cast(1)
        ]] })
        assert.matches('msg="ended with the reason overload" stage=#2 err=overload', run.err)
    end)

    it("a crash that was mended is no failure of the command", function()
        local run = command.run("$S main.lua", { ["main.lua"] = [[
            local stagehost = require "stagehost"
            local Child = stagehost.process { handle_info = function() error "oops" end }
            local sup = assert(stagehost.start(stagehost.supervisor {
                children = { { id = "child", start = Child, options = { name = "child" } } },
            }))
            local child = stagehost.whereis "child"
            child:send "crash"
            child:join()
            repeat stagehost.sleep(1) until stagehost.whereis "child"
            sup:stop "shutdown"
            print "done"
        ]] })
        assert.equal("done\n", run.out)
        assert.matches("oops", run.err)
        assert.equal(0, run.status)
    end)

    it("one that was not ends the pipeline with its reason, and the command with 70", function()
        local run = command.run("$S main.lua", { ["main.lua"] = [[
            local stagehost = require "stagehost"
            local Bad = stagehost.consumer { handle_events = function() error "oops" end }
            local running = assert(stagehost.pipeline { max_restarts = 1, stages = {
                { name = "list", stage = stagehost.source.list { 1, 2, 3 } },
                { name = "bad", stage = Bad, subscribe_to = { { to = "list", max_demand = 1 } } },
            } }:start())
            print((select(2, running:join())):match "oops")
        ]] })
        assert.equal("oops\n", run.out)
        assert.matches('child \\"bad\\": .*Restart 2 within 5 s exceeds max_restarts = 1: giving up', run.err)
        assert.equal(70, run.status)
    end)

    it("a supervisor that gives up is one, although it ends with shutdown", function()
        local main = [[
            local stagehost = require "stagehost"
            local Child = stagehost.process { handle_info = function() error "oops" end }
            local given = { max_restarts = 0, children = { { start = Child, options = { name = "child" } } } }
            local sup = assert(stagehost.start(stagehost.supervisor(given)))
            stagehost.whereis("child"):send "crash"
            sup:join()
            print "done"
        ]]
        local run = command.run("$S main.lua", { ["main.lua"] = main })
        assert.equal("done\n", run.out)
        assert.matches('child \\"child\\": .*oops.* max_restarts = 0: giving up', run.err)
        assert.equal(70, run.status)
    end)

    it("SIGTERM drains a supervised pipeline, whole", function()
        local run = command.run([[
            $S main.lua > out 2> err & pid=$!
            wait_for out started
            kill -TERM $pid; wait $pid; code=$?; cat out; cat err >&2; (exit $code)
        ]], { ["main.lua"] = PIPELINE .. [[
            io.write("started\n") io.flush()
            print("ended: " .. select(2, running:join()))
        ]] })
        assert.matches("sink ended\n", run.out)
        assert.equal(0, run.status, run.err)
    end)

    it("SIGTERM ends a supervisor of stages that subscribe by themselves", function()
        local run = command.run([[
            $S main.lua > out 2> err & pid=$!
            wait_for out started
            kill -TERM $pid; wait $pid; code=$?; cat out; cat err >&2; (exit $code)
        ]], { ["main.lua"] = [[
            local stagehost = require "stagehost"
            local Sink = stagehost.consumer {
                handle_events = function() stagehost.sleep(1) end,
                terminate = function() print "sink ended" end,
            }
            local sup = assert(stagehost.start(stagehost.supervisor { children = {
                { start = stagehost.source.interval(1), options = { name = "source" } },
                { start = Sink, options = { name = "sink", subscribe_to = { "source" } } },
            } }))
            io.write("started\n") io.flush()
            sup:join()
        ]] })
        assert.matches("sink ended\n", run.out)
        assert.equal(0, run.status, run.err)
    end)
end)
