-- SPDX-License-Identifier: MIT

--- Every callback that raises, returns what it must not, or returns nil: how its stage ends, who
--- ends with it, and what the log says.
local hooks = require "stagehost.spec"
local faults = require "spec.support.faults"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local faulty, run, start = faults.faulty, faults.run, stages.start
local log = {}

before_each(function()
    log = {}
    hooks.on_log(function(code, stage, message)
        if code ~= "start" and code ~= "end" then
            log[#log + 1] = { code = code, stage = stage, message = message }
        end
    end)
end)

after_each(function()
    hooks.on_log(nil)
    stages.stop_all()
end)

local function nothing() end

local function errors_in_log()
    local found = {}
    for _, record in ipairs(log) do
        if record.message:find("boom", 1, true) or record.message:find("returned", 1, true) then
            found[#found + 1] = record
        end
    end
    return found
end

local function boom()
    error "boom"
end

-- What no callback may return; handle_call not as its second value.
local bad = {
    ["a number"] = { 42, "a number %(42%)" },
    ["a string"] = { "what", 'a string %("what"%)' },
    ["a boolean"] = { true, "a boolean %(true%)" },
    ["a function"] = { print, "a function" },
    ["a userdata"] = { io.stdout, "a userdata" },
    ["a table of keys"] = { { key = 1 }, "a table" },
}

describe("a fault in", function()
    for _, c in ipairs(faults.cases) do
        it(c.name .. ": an error ends the stage alone, and is logged once", function()
            local reason = run(c, boom)
            assert.is_true(stagehost.is_error(reason), tostring(reason))
            assert.equal("error", reason.name)
            assert.equal("faulty", reason.stage)
            assert.equal(c.callback, reason.callback)
            assert.matches("faults_callbacks_spec.lua:%d+: boom$", reason.message)
            assert.matches("^stack traceback:\n.*faults_callbacks_spec.lua:%d+: in function", reason.traceback)
            assert.matches("^stage<faulty>: " .. c.callback .. ": .*: boom$", tostring(reason))
            local found = errors_in_log()
            assert.equal(1, #found)
            assert.equal("faulty", found[1].stage)
        end)

        it(c.name .. ": a bad return ends the stage alone, and is logged once", function()
            for what, values in pairs(bad) do
                log = {}
                local reason = run(c, function()
                    if c.callback == "handle_call" then
                        return "any reply", values[1]
                    end
                    return values[1]
                end)
                assert.is_true(stagehost.is_error(reason), what .. ": " .. tostring(reason))
                assert.equal("bad_return_value", reason.name)
                assert.equal("faulty", reason.stage)
                assert.equal(c.callback, reason.callback)
                assert.matches(("^%s returned %s.*: it must return "):format(c.callback, values[2]), reason.message)
                assert.equal(1, #errors_in_log())
                stages.stop_all()
            end
        end)

        it(c.name .. ": nil and an empty list are fine", function()
            assert.equal("alive", run(c, nothing))
            assert.same({}, errors_in_log())
            if c.callback ~= "handle_subscribe" then -- its answer is a word
                stages.stop_all()
                assert.equal("alive", run(c, function()
                    return {}
                end))
            end
        end)
    end
end)

describe("a fault in handle_call", function()
    --- What the caller is told.
    local function told(f)
        local stage = start(stagehost.process { handle_call = f }, { name = "faulty" })
        local reason = faults.watch(stage)
        local reply, message, why = stage:call("x", math.huge)
        hooks.settle(1000)
        return { reply = reply, message = message, why = why, reason = reason() }
    end

    it("is told to the caller: an error", function()
        local t = told(boom)
        assert.is_nil(t.reply)
        assert.matches("^stage<faulty>: handle_call: .*: boom$", t.message)
        assert.equal(t.reason.message, t.why.message)
        assert.equal(1, #errors_in_log())
    end)

    it("is told to the caller: a bad return", function()
        local t = told(function()
            return "reply", 42
        end)
        assert.is_nil(t.reply)
        assert.equal("bad_return_value", t.why.name)
        assert.equal("bad_return_value", t.reason.name)
        assert.equal(1, #errors_in_log())
    end)

    it("answers nil for nil", function()
        assert.same({}, told(nothing))
        assert.same({}, errors_in_log())
    end)

    it("is told to the caller: a reply that can't travel", function()
        if stagehost.workers() < 2 then
            return
        end
        local stage = start(stagehost.process {
            handle_call = function()
                return coroutine.create(print)
            end,
        }, { worker = 1 })
        local reply, message = stage:call("x", math.huge)
        assert.is_nil(reply)
        assert.matches("a coroutine can't cross to another worker", message)
    end)
end)

describe("a fault in init", function()
    local starts = {}
    for _, kind in ipairs { "producer", "consumer", "producer_consumer", "process" } do
        starts[kind] = {}
        if stagehost.workers() > 1 then
            starts[kind .. " on another worker"] = { worker = 1 }
        end
    end

    --- Starts a stage with `init`; nothing may be left of it if it did not start.
    local function try(what, opts, init)
        local kind = what:match "^%S+"
        local stage, message, reason = stagehost.start(faulty(kind, "init", init),
            { name = "faulty", worker = opts.worker })
        if not stage then
            assert.is_nil(stagehost.whereis "faulty")
            stages.stop(start(faults.Sink, { name = "faulty" })) -- the name is free
        end
        return stage, message, reason
    end

    for what, opts in pairs(starts) do
        it(what .. ": an error fails the start, and is told to the starter", function()
            local stage, message, reason = try(what, opts, function()
                error "boom"
            end)
            assert.is_nil(stage)
            assert.matches("^stage<faulty>: init: .*: boom$", message)
            assert.is_true(stagehost.is_error(reason))
            assert.equal("init", reason.callback)
            assert.same({}, errors_in_log())
        end)

        it(what .. ": so does a bad return", function()
            for _, value in ipairs { 42, "what", true, print, io.stdout } do
                local stage, message, reason = try(what, opts, function()
                    return value
                end)
                assert.is_nil(stage)
                assert.equal("bad_return_value", reason.name)
                assert.matches("^stage<faulty>: init: init returned a .*: it must return nothing, a table of options",
                    message)
            end
        end)

        it(what .. ": and so do options that are none", function()
            for _, returned in ipairs { { bufer_size = 1 }, { name = "late" }, { 1 } } do
                local stage, message = try(what, opts, function()
                    return returned
                end)
                assert.is_nil(stage)
                assert.matches("unknown option .* %(known: ", message)
            end
        end)

        it(what .. ": nil and no options are fine", function()
            for _, init in ipairs { nothing, function() return {} end } do
                local stage = assert(try(what, opts, init))
                stages.stop(stage)
            end
        end)
    end

    it("ends nobody but its stage, though that was to subscribe", function()
        local seen = 0
        local producer = start(stagehost.producer {
            handle_subscribe = function()
                seen = seen + 1
            end,
        })
        assert.is_nil((stagehost.start(faulty("consumer", "init", boom), { subscribe_to = { producer } })))
        hooks.settle(1000)
        assert.equal(0, seen)
        assert.is_true(producer:is_alive())
    end)
end)

describe("a fault in terminate", function()
    for _, kind in ipairs { "producer", "consumer", "producer_consumer", "process" } do
        it("of a " .. kind .. ": an error is logged once, and the stage has its own reason", function()
            local stage = start(faulty(kind, "terminate", boom), { name = "faulty" })
            local reason = faults.watch(stage)
            stage:stop "enough"
            hooks.settle(1000)
            assert.equal("enough", reason())
            assert.equal(2, #log)
            assert.same({ "stage_ended", "stage_ended" }, { log[1].code, log[2].code })
        end)

        it("of a " .. kind .. ": what it returns is nobody's business", function()
            for _, values in pairs(bad) do
                local stage = start(faulty(kind, "terminate", function()
                    return values[1]
                end), { name = "faulty" })
                local reason = faults.watch(stage)
                stage:stop()
                hooks.settle(1000)
                assert.equal("normal", reason())
            end
            assert.same({}, log)
        end)
    end
end)

describe("a fault in format_discarded", function()
    --- Lets two events be discarded; the reason of the stage, or "alive".
    local function discard(kind, f)
        local def = faulty(kind, "format_discarded", f)
        def.handle_cast = function(_, events)
            return events
        end
        local stage = start(def, { name = "faulty", buffer_size = 1 })
        local reason = faults.watch(stage)
        stage:cast { 1, 2, 3 }
        hooks.settle(1000)
        return reason() or "alive"
    end

    for _, kind in ipairs { "producer", "producer_consumer" } do
        it("of a " .. kind .. ": an error ends it", function()
            local reason = discard(kind, boom)
            assert.equal("format_discarded", reason.callback)
            assert.matches("boom$", reason.message)
        end)

        it("of a " .. kind .. ": a bad return ends it", function()
            for what, values in pairs(bad) do
                if what ~= "a boolean" then
                    local reason = discard(kind, function()
                        return values[1]
                    end)
                    assert.equal("bad_return_value", reason.name)
                    assert.equal("format_discarded", reason.callback)
                    assert.matches(("^format_discarded returned %s.*: it must return true, false or nil$")
                        :format(values[2]), reason.message)
                    stages.stop_all()
                end
            end
        end)

        it("of a " .. kind .. ": nil and true log, false does not", function()
            for _, value in ipairs { true, "nil", false } do
                log = {}
                assert.equal("alive", discard(kind, function()
                    if value ~= "nil" then
                        return value
                    end
                end))
                local codes = {}
                for i, record in ipairs(log) do
                    codes[i] = record.code
                end
                assert.same(value and { "discarded", "buffer_full" } or {}, codes)
                stages.stop_all()
            end
        end)
    end
end)

describe("a partner by a permanent subscription ends with it:", function()
    it("the consumer of a producer that fails", function()
        local producer = start(faulty("producer", "handle_cast", boom), { name = "faulty" })
        local consumer = start(faults.Sink, { subscribe_to = { producer } })
        local second = start(faulty("consumer", "handle_events", nothing), {
            subscribe_to = { { to = producer, cancel = "transient" } },
        })
        hooks.settle(1000)
        producer:cast "x"
        for _, stage in ipairs { consumer, second } do
            local reason = stage:join()
            assert.is_true(stagehost.is_error(reason), tostring(reason))
            assert.matches("boom$", reason.message)
        end
        assert.equal(1, #errors_in_log())
    end)

    it("never the producer of a consumer that fails", function()
        local producer = start(faults.Source)
        local consumer = start(faulty("consumer", "handle_events", boom), { subscribe_to = { producer } })
        assert.equal("error", consumer:join().name)
        hooks.settle(1000)
        assert.is_true(producer:is_alive())
    end)
end)
