-- SPDX-License-Identifier: MIT

--- Timers, and what the facade tells of the host.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

local Clock = stagehost.process {
    init = function(self)
        self.ticks = {}
    end,
    handle_cast = function(self, message)
        if message.after then
            self.timer = stagehost.send_after(message.after, message.say)
        elseif message.every then
            self.timer = stagehost.every(message.every, message.say)
        end
    end,
    handle_info = function(self, message)
        table.insert(self.ticks, message)
        if #self.ticks == 3 then
            self.timer:cancel()
        end
    end,
    handle_call = function(self, request)
        if request == "cancel" then
            return self.timer:cancel()
        end
        return self.ticks
    end,
}

describe("a timer", function()
    it("sends its stage a message, once", function()
        local clock = start(Clock)
        clock:cast { after = 3, say = "hello" }
        assert.same({}, clock:call("ticks"))
        repeat
            stagehost.sleep(5)
        until #clock:call("ticks") > 0
        assert.same({ "hello" }, clock:call("ticks"))
        assert.is_false(clock:call("cancel"))
        clock:stop()
    end)

    it("may repeat until it is cancelled", function()
        local clock = start(Clock)
        clock:cast { every = 1, say = { 1 } }
        repeat
            stagehost.sleep(5)
        until #clock:call("ticks") >= 3
        stagehost.sleep(5) -- a fourth would come now
        assert.same({ { 1 }, { 1 }, { 1 } }, clock:call("ticks"))
        clock:stop()
    end)

    it("can be cancelled", function()
        local clock = start(Clock)
        clock:cast { after = 5, say = "hello" }
        assert.is_true(clock:call("cancel"))
        assert.is_false(clock:call("cancel"))
        stagehost.sleep(10)
        assert.same({}, clock:call("ticks"))
        clock:stop()
    end)

    it("ends with its stage", function()
        local timer
        local stage = start(stagehost.process {
            init = function()
                timer = stagehost.send_after(1, "x")
            end,
        })
        stage:stop()
        assert.matches("^timer<", tostring(timer))
        assert.is_false(timer:cancel())
    end)

    it("wants a sensible time", function()
        for _, ms in ipairs { -1, 0 / 0, math.huge } do
            assert.error_matches(function()
                stagehost.send_after(ms, "x")
            end, "must be a number of milliseconds >= 0")
        end
        assert.error_matches(function()
            stagehost.every(0, "x")
        end, "must be a number of milliseconds >= 1")
    end)
end)

describe("the facade", function()
    it("knows where it runs", function()
        assert.equal(0, stagehost.worker())
        assert.is_true(stagehost.workers() >= 1)
        assert.equal("process", stagehost.self().kind)
        assert.is_false(stagehost.is_draining())
        assert.is_nil(stagehost.whereis("nobody"))
        assert.matches("^%d+%.%d+%.%d+", stagehost._VERSION)
    end)

    it("logs by level", function()
        stagehost.log("debug", "100%")
        stagehost.log("debug", "%d events", 5)
        assert.error_matches(function()
            stagehost.log("loud", "x")
        end, "log level must be one of error, warn, info, debug, trace, got ")
    end)

    it("loads its parts at the first use", function()
        assert.equal(require "luv", stagehost.uv)
        assert.error_matches(function() return stagehost.unknown end, "stagehost has no unknown")
    end)
end)
