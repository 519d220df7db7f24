-- SPDX-License-Identifier: MIT

--- What callbacks may return, and what is said when they return something else.
local stagehost = require "stagehost"

--- Starts a process whose handle_call is `f`, calls it once; what the call and the end of the stage gave.
local function call(f)
    local stage = assert(stagehost.start(stagehost.process { handle_call = f }, { name = "it" }))
    local reply, message, reason = stage:call("request")
    if stage:is_alive() then
        stage:stop()
    end
    return reply, message, reason
end

--- The events that a consumer gets from a producer whose handle_demand is `f`, and its reason.
local function emit(f)
    local got, ended = {}, nil
    local Producer = stagehost.producer { handle_demand = f }
    local Consumer = stagehost.consumer {
        handle_events = function(_, events)
            for _, event in ipairs(events) do
                got[#got + 1] = event
            end
        end,
        handle_cancel = function(_, reason)
            ended = reason
        end,
    }
    local producer = assert(stagehost.start(Producer, { name = "source" }))
    local consumer = assert(stagehost.start(Consumer))
    local monitor = assert(consumer:subscribe { to = producer, max_demand = 4, cancel = "temporary" })
    assert.truthy(monitor)
    producer:join()
    stagehost.sleep(1)
    consumer:stop()
    return got, ended
end

local ALLOWED = "it must return a list of events, nil, or stagehost.stop(reason)"

describe("handle_demand", function()
    it("returns a list", function()
        local n = 0
        local got, reason = emit(function(_, demand)
            n = n + demand
            return n > 4 and stagehost.stop() or { 1, 2, 3, 4 }
        end)
        assert.same({ 1, 2, 3, 4 }, got)
        assert.equal("normal", reason)
    end)

    it("stops with last events", function()
        local got, reason = emit(function()
            return stagehost.stop("shutdown", { "last" })
        end)
        assert.same({ "last" }, got)
        assert.equal("shutdown", reason)
    end)

    it("may return nothing, nil or an empty list", function()
        local ended
        local answers = { {}, { {} }, { nil, n = 1 }, { stagehost.stop("enough") } }
        local Producer = stagehost.producer {
            init = function(self)
                self.i = 0
            end,
            handle_cast = function(self)
                self.i = self.i + 1
                return unpack(answers[self.i], 1, answers[self.i].n)
            end,
            terminate = function(_, reason)
                ended = reason
            end,
        }
        local producer = assert(stagehost.start(Producer))
        for _ = 1, #answers do
            producer:cast("next")
        end
        producer:join()
        assert.equal("enough", ended)
    end)

    local cases = {
        { 5, "a number (5)" },
        { true, "a boolean (true)" },
        { "text", 'a string ("text")' },
        { ("x"):rep(70), 'a string ("' .. ("x"):rep(60) .. '...")' },
        { { a = 1 }, "a table without a list part" },
        { print, "a function" },
        { coroutine.create(print), "a thread" },
        { newproxy(), "a userdata" },
    }
    for _, case in ipairs(cases) do
        it("refuses " .. case[2], function()
            local _, reason = emit(function()
                return case[1]
            end)
            assert.equal("bad_return_value", reason.name)
            assert.equal("source", reason.stage)
            assert.equal("handle_demand", reason.callback)
            assert.equal(("handle_demand returned %s: %s"):format(case[2], ALLOWED), reason.message)
            assert.equal("stage<source>: handle_demand: " .. reason.message, tostring(reason))
        end)
    end

    it("takes a list that has a metatable of the script's own", function()
        local got = emit(function()
            return stagehost.stop(nil, setmetatable({ 1, 2 }, { __index = {} }))
        end)
        assert.same({ 1, 2 }, got)
    end)
end)

describe("handle_call", function()
    it("answers what it returns", function()
        assert.same({ 1 }, (call(function()
            return { 1 }
        end)))
        assert.is_false((call(function()
            return false
        end)))
        assert.is_nil((call(function() end)))
    end)

    it("answers later", function()
        assert.equal("later", (call(function(_, _, from)
            stagehost.sleep(1)
            from:reply("later")
            return stagehost.noreply
        end)))
    end)

    it("has answered when it used from:reply and returns nothing", function()
        assert.equal(1, (call(function(_, _, from)
            from:reply(1)
        end)))
    end)

    it("answers with an error by from:fail", function()
        assert.same({ nil, "there is no such book", "not_found" }, { call(function(_, _, from)
            from:fail("there is no such book", "not_found")
            return stagehost.noreply
        end) })
        local problem
        call(function(_, _, from)
            from:fail("once", "failed")
            problem = select(2, pcall(from.fail, from, "twice", "failed"))
            return stagehost.noreply
        end)
        assert.matches("from:fail: this call has been answered already", tostring(problem), 1, true)
    end)

    it("does not answer twice", function()
        local reason
        local Process = stagehost.process {
            handle_call = function(_, _, from)
                from:reply(1)
                return 2
            end,
            terminate = function(_, why)
                reason = why
            end,
        }
        local stage = assert(stagehost.start(Process))
        assert.equal(1, stage:call("x"))
        stage:join()
        assert.matches("handle_call returned a second reply %(from:reply has already answered%)", tostring(reason))
    end)

    it("keeps from for later, but not for a second answer", function()
        local kept
        call(function(_, _, from)
            kept = from
            return 1
        end)
        local ok, message = pcall(kept.reply, kept, 2)
        assert.is_false(ok)
        assert.matches("answered already", tostring(message))
    end)

    it("stops with a reply", function()
        assert.equal("bye", (call(function()
            return stagehost.stop("normal", nil, "bye")
        end)))
    end)

    it("refuses events that are none", function()
        local _, message, reason = call(function()
            return 1, "events"
        end)
        assert.matches('handle_call returned a string %("events"%): it must return reply%[, events%]', message)
        assert.equal("bad_return_value", reason.name)
    end)

    it("is missed when it is not there", function()
        local stage = assert(stagehost.start(stagehost.process {}))
        local reply, message = stage:call("x")
        assert.is_nil(reply)
        assert.matches("no handle_call", message)
    end)
end)

describe("init", function()
    it("gets args, and self finds the definition", function()
        local Process = stagehost.process {
            greeting = "hello",
            init = function(self, args)
                self.text = self.greeting .. args.name
            end,
            handle_call = function(self)
                return { self.text, self.stage == stagehost.self(), rawget(self, "greeting") == nil }
            end,
        }
        local stage = assert(stagehost.start(Process, { args = { name = " you" } }))
        assert.same({ "hello you", true, true }, stage:call())
        stage:stop()
    end)

    it("returns options", function()
        local Producer = stagehost.producer {
            init = function()
                return { buffer_size = 2, buffer_keep = "first" }
            end,
            handle_cast = function(_, events)
                return events
            end,
            format_discarded = function()
                return false
            end,
        }
        local producer = assert(stagehost.start(Producer))
        producer:cast { 1, 2, 3 }
        assert.equal(2, producer:buffered())
        producer:kill()
    end)

    it("may wait", function()
        local Process = stagehost.process {
            init = function(self)
                stagehost.sleep(2)
                self.done = true
            end,
            handle_call = function(self)
                return self.done
            end,
        }
        local stage = assert(stagehost.start(Process))
        assert.is_true(stage:call())
        stage:stop()
    end)

    local refused = {
        { "stop", function() return stagehost.stop("no") end, "no" },
        { "ignore", function() return stagehost.ignore end, "ignore" },
        { "a number", function() return 5 end, "bad_return_value" },
        { "an unknown option", function() return { bufer_size = 1 } end },
        { "an error", function() error("boom") end, "error" },
    }
    for _, case in ipairs(refused) do
        it("refuses to start with " .. case[1], function()
            local stage, message, reason = stagehost.start(stagehost.producer { init = case[2] })
            assert.is_nil(stage)
            assert.is_string(message)
            if case[3] then
                assert.equal(case[3], type(reason) == "table" and reason.name or reason)
            end
        end)
    end
end)

describe("handle_subscribe", function()
    it("refuses an unknown mode", function()
        local reason
        local Consumer = stagehost.consumer {
            handle_events = function() end,
            handle_subscribe = function()
                return "by hand"
            end,
            terminate = function(_, why)
                reason = why
            end,
        }
        local producer = assert(stagehost.start(stagehost.producer {}))
        local consumer = assert(stagehost.start(Consumer))
        consumer:async_subscribe { to = producer }
        consumer:join()
        assert.matches('handle_subscribe returned a string %("by hand"%): it must return "automatic"',
            tostring(reason))
        producer:kill()
    end)
end)

describe("format_discarded", function()
    it("must not wait; a failure ends the stage", function()
        local Producer = stagehost.producer {
            handle_cast = function(_, events)
                return events
            end,
            format_discarded = function()
                stagehost.sleep(1)
            end,
        }
        local producer = assert(stagehost.start(Producer, { buffer_size = 1 }))
        producer:cast { 1, 2 }
        local reason = producer:join()
        assert.equal("format_discarded", reason.callback)
        assert.matches("format_discarded must not wait", reason.message)
    end)
end)
