-- SPDX-License-Identifier: MIT

--- Handles of stages: starting, talking, ending.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

local Echo = stagehost.process {
    handle_call = function(self, request, from)
        if request == "later" then
            self.from = from
            return stagehost.noreply
        elseif request == "early" then
            from:reply("from:reply")
            return stagehost.noreply
        elseif request == "never" then
            return stagehost.noreply
        elseif request == "crash" then
            error("call failed")
        elseif request == "messages" then
            return self.messages
        end
        return request
    end,
    init = function(self)
        self.messages = {}
    end,
    handle_cast = function(self, message)
        if message == "answer" then
            self.from:reply("now")
            self.twice = { pcall(self.from.reply, self.from, "again") }
            return
        end
        table.insert(self.messages, { "cast", message })
    end,
    handle_info = function(self, message)
        table.insert(self.messages, { "info", message })
    end,
}

local Counter = stagehost.producer {
    init = function(self)
        self.n = 0
    end,
    handle_demand = function(self, n)
        local events = {}
        for i = 1, n do
            events[i] = self.n
            self.n = self.n + 1
        end
        return events
    end,
    handle_cast = function(_, events)
        return events
    end,
}

local function with(def, opts, f)
    local stage = start(def, opts)
    local ok, err = pcall(f, stage)
    stage:kill()
    stage:join()
    if not ok then
        error(err, 0)
    end
end

describe("a handle", function()
    it("is one object per stage", function()
        with(Echo, { name = "one" }, function(stage)
            assert.equal("stage<one>", tostring(stage))
            assert.equal(stage, stagehost.whereis("one"))
            assert.equal(stage, stage:call(stage))
            assert.equal("one", stage.name)
            assert.equal("process", stage.kind)
            assert.equal(0, stage.worker)
            assert.equal("number", type(stage.id))
            assert.is_nil(stage.colour)
            collectgarbage()
            collectgarbage()
            assert.equal(stage, stagehost.whereis("one"))
        end)
    end)

    it("of a stage without a name prints its id", function()
        with(Echo, nil, function(stage)
            assert.is_nil(stage.name)
            assert.equal("stage<#" .. stage.id .. ">", tostring(stage))
        end)
    end)

    it("is told from other values", function()
        with(Echo, nil, function(stage)
            assert.error_matches(function()
                stage.call("x", 1)
            end, "bad argument #1 to 'call' %(expected a stage handle, got string%)")
            assert.error_matches(function()
                stage.call(io.stdout, 1)
            end, "expected a stage handle, got userdata")
            getmetatable(stage).__gc(io.stdout) -- a finalizer must not raise
            assert.is_true(io.stdout:write "")
        end)
    end)
end)

describe("starting", function()
    it("refuses a name that is taken", function()
        with(Echo, { name = "taken" }, function()
            local stage, message, reason = stagehost.start(Echo, { name = "taken" })
            assert.is_nil(stage)
            assert.matches("taken", message)
            assert.equal("already_started", reason)
        end)
        assert.is_nil(stagehost.whereis("taken"))
    end)

    it("tells what init answered", function()
        local function answers(answer)
            return stagehost.start(stagehost.process {
                init = function()
                    return answer()
                end,
            }, { name = "init" })
        end
        assert.equal("ignore", select(3, answers(function()
            return stagehost.ignore
        end)))
        assert.equal("not today", select(3, answers(function()
            return stagehost.stop("not today")
        end)))
        local _, message, reason = answers(function()
            error("broken")
        end)
        assert.matches("stage<init>: init: .*broken", message)
        assert.equal("error", reason.name)
        assert.equal("init", reason.callback)
        _, message = answers(function()
            return { buffer_size = 5 }
        end)
        assert.matches('unknown option "buffer_size" of a process', message)
        _, message = answers(function()
            return 5
        end)
        assert.matches("init returned a number %(5%)", message)
    end)

    it("raises for mistakes, and starts nothing", function()
        assert.error_matches(function()
            stagehost.start(Counter, { name = "wrong", buffer_size = "big" })
        end, "stage_handle_spec.lua:%d+: option \"buffer_size\" must be an integer or \"infinity\"")
        assert.is_nil(stagehost.whereis("wrong"))
        assert.error_matches(function()
            stagehost.start({ handle_demand = print })
        end, "expected a definition made by stagehost.producer")
    end)
end)

describe("a call", function()
    it("gives the reply", function()
        with(Echo, nil, function(stage)
            local reply = stage:call { 1, 2 }
            assert.same({ 1, 2 }, reply)
            assert.is_nil(stage:call(nil))
            assert.is_false(stage:call(false))
            assert.equal("from:reply", stage:call("early"))
        end)
    end)

    it("may be answered later, once", function()
        with(Echo, nil, function(stage)
            local waiting = start(stagehost.process {
                handle_info = function(self)
                    self.reply = stage:call("later")
                end,
                handle_call = function(self)
                    return self.reply
                end,
            })
            waiting:send("go")
            stagehost.sleep(5)
            stage:cast("answer")
            assert.equal("now", waiting:call("reply"))
            waiting:stop()
        end)
    end)

    it("ends after its timeout", function()
        with(Echo, nil, function(stage)
            local reply, message, reason = stage:call("never", 5)
            assert.is_nil(reply)
            assert.equal("timed out", message)
            assert.equal("timeout", reason)
        end)
    end)

    it("fails with its callee", function()
        local stage = start(Echo, { name = "callee" })
        local reply, message, reason = stage:call("crash", math.huge)
        assert.is_nil(reply)
        assert.matches("stage<callee>: handle_call: .*call failed", message)
        assert.equal("error", reason.name)
        reply, message, reason = stage:call("x")
        assert.is_nil(reply)
        assert.equal("no such stage, or it is not alive", message)
        assert.equal("noproc", reason)
    end)

    it("refuses a strange timeout", function()
        with(Echo, nil, function(stage)
            assert.error_matches(function()
                stage:call("x", 0)
            end, "must be a number of milliseconds >= 1, got 0")
            assert.error_matches(function()
                stage:call("x", "long")
            end, "must be a number of milliseconds, or a duration")
        end)
    end)

    it("to oneself is refused, as is waiting for one's own end", function()
        local me = stagehost.self()
        for method, instead in pairs {
            call = "cast or send", stop = "return stagehost.stop", join = "still running",
            sync_info = "async_info",
        } do
            assert.error_matches(function()
                me[method](me, "x")
            end, "stage:" .. method .. ": a stage can't wait for itself %(.*" .. instead)
        end
    end)
end)

describe("messages", function()
    it("arrive in order", function()
        with(Echo, nil, function(stage)
            stage:cast(1)
            stage:send { 2 }
            stage:cast(nil)
            stage:send(false)
            assert.same({ { "cast", 1 }, { "info", { 2 } }, { "cast" }, { "info", false } },
                stage:call("messages"))
        end)
    end)

    it("to a stage that is gone are dropped", function()
        local stage = start(Echo)
        stage:stop()
        stage:cast(1)
        stage:send(2)
        stage:notify(3)
        stage:kill()
        assert.is_false(stage:is_alive())
        assert.is_true(stage:stop())
    end)
end)

describe("an end", function()
    it("is waited for and has its reason", function()
        local stage = start(Echo)
        local reasons = {}
        local Watcher = stagehost.process {
            init = function(self)
                stagehost.self():send("join")
                self.reasons = reasons
            end,
            handle_info = function(self)
                table.insert(self.reasons, stage:join())
                return stagehost.stop()
            end,
        }
        local watchers = { stagehost.start(Watcher), stagehost.start(Watcher) }
        stagehost.sleep(1)
        assert.is_true(stage:stop("enough"))
        watchers[1]:join()
        watchers[2]:join()
        assert.same({ "enough", "enough" }, reasons)
        assert.equal("enough", stage:join())
    end)

    local cases = { { "normal" }, { "shutdown" }, { { "shutdown", { 1 } } }, { "any word" } }
    for i, case in ipairs(cases) do
        it("keeps a reason as it was given, " .. i, function()
            local seen
            local stage = start(stagehost.process {
                terminate = function(_, reason)
                    seen = reason
                end,
            })
            stage:stop(case[1])
            assert.same(case[1], seen)
        end)
    end

    it("may be a kill", function()
        local stage = start(Echo)
        stage:kill()
        assert.equal("killed", stage:join())
        assert.is_false(stage:is_alive())
    end)
end)

describe("a producer's handle", function()
    it("tells and sets its demand mode", function()
        with(Counter, { demand = "accumulate" }, function(stage)
            assert.equal("accumulate", stage:demand())
            stage:demand("forward")
            assert.equal("forward", stage:demand())
            assert.error_matches(function()
                stage:demand("backward")
            end, "invalid option 'backward'")
        end)
    end)

    it("tells what is buffered", function()
        with(Counter, nil, function(stage)
            stage:cast { 1, 2, 3 }
            assert.equal(3, stage:buffered())
            assert.equal(3, stage:stats().buffered)
            assert.equal(0, stage:stats().events_out)
        end)
    end)

    it("tells its own stage what is buffered", function()
        local seen
        local Own = stagehost.producer {
            handle_cast = function()
                seen = stagehost.self():buffered()
                return stagehost.stop("seen")
            end,
            handle_info = function(_, events)
                return events
            end,
        }
        local stage = start(Own)
        stage:send { 1, 2 }
        stage:cast("look")
        stage:join()
        assert.equal(2, seen)
    end)
end)
