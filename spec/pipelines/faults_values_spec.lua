-- SPDX-License-Identifier: MIT

--- Errors of every type raised in every callback, and stops with last events from every callback
--- of a stage that produces.
local faults = require "spec.support.faults"
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local run = faults.run
local log = {}

before_each(function()
    log = {}
    hooks.on_log(function(code, stage, message)
        log[#log + 1] = { code = code, stage = stage, message = message }
    end)
end)

after_each(function()
    stages.stop_all()
    hooks.on_log(nil)
end)

local function logged(code)
    local n = 0
    for _, record in ipairs(log) do
        n = n + (record.code == code and record.stage == "faulty" and 1 or 0)
    end
    return n
end

-- What is raised, the message it becomes, and what of it the reason keeps.
local raised = {
    { "a string", "plain", "^plain$" },
    { "nil", nil, "faults_values_spec.lua:%d+: nil was raised" },
    { "false", false, "^false$" },
    { "a number", 7, "^7$" },
    { "a table of data", { code = 7, list = { 1, 2 } }, "^%(error object is a table value%)$",
        { code = 7, list = { 1, 2 } } },
    { "a table with a message", { message = "from a field", code = 1 }, "^from a field$",
        { message = "from a field", code = 1 } },
    { "a table that can't travel", { f = print }, "^%(error object is a table value%)$" },
    { "a function", print, "^%(error object is a function value%)$" },
    { "a userdata", newproxy(), "^%(error object is a userdata value%)$" },
    { "a file", io.stdout, "^file %(0x%x+%)$" },
    { "a table whose __tostring fails", setmetatable({}, { __tostring = function()
        error "again"
    end }), "^%(error object is a table value%)$", {} },
}

describe("raised as an error in", function()
    for _, c in ipairs(faults.cases) do
        it(c.name .. ", a value of any type becomes a reason", function()
            for _, value in ipairs(raised) do
                log = {}
                local reason = run(c, function()
                    error(value[2], 0)
                end)
                assert.is_true(stagehost.is_error(reason), value[1])
                assert.equal("error", reason.name)
                assert.equal(c.callback, reason.callback)
                assert.matches(value[3], reason.message)
                assert.same(value[4], reason.value)
                assert.equal(1, logged "stage_ended")
                stages.stop_all()
            end
        end)
    end

    it("init, a value of any type is told to the starter", function()
        for _, value in ipairs(raised) do
            local stage, message, reason = stagehost.start(stagehost.process {
                init = function()
                    error(value[2], 0)
                end,
            })
            assert.is_nil(stage)
            assert.is_string(message)
            assert.matches(value[3], reason.message)
            assert.same(value[4], reason.value)
        end
    end)

    it("one stage and raised again in another, an error object keeps its name", function()
        local first = run(faults.cases[1], function()
            return "no list"
        end)
        stages.stop_all()
        local again = run(faults.cases[2], function()
            error(first)
        end)
        assert.equal("bad_return_value", again.name)
        assert.equal(tostring(first), again.message) -- it says where it was first
        assert.equal("handle_events", again.callback)
    end)
end)

describe("stop with events from", function()
    --- Emits through a consumer that has asked; what it got and how its subscription ended.
    local function stop(c, ...)
        local n, values = select("#", ...), { ... }
        local seen = { events = {} }
        local reason = run(c, function()
            return stagehost.stop(unpack(values, 1, n))
        end, function(stage)
            local tap = stages.start(stagehost.consumer {
                handle_events = function(_, events)
                    for _, event in ipairs(events) do
                        table.insert(seen.events, event)
                    end
                end,
                handle_cancel = function(_, why, _, how)
                    seen.cancel = { why, how }
                end,
            })
            faults.link(tap, stage)
            hooks.settle(1000)
        end)
        return reason, seen
    end

    for _, c in ipairs(faults.cases) do
        local produces = c.kind == "producer" or c.kind == "producer_consumer"
        if produces and c.callback ~= "handle_subscribe" then -- that runs for the tap already
            it(c.name .. ": they arrive, then the reason", function()
                for _, why in ipairs { "normal", "shutdown", "enough" } do
                    local reason, seen = stop(c, why, { "last", "words" })
                    assert.equal(why, reason)
                    assert.same({ "last", "words" }, seen.events)
                    assert.same({ why, "down" }, seen.cancel)
                    stages.stop_all()
                end
            end)

            it(c.name .. ": none are fine", function()
                for _, events in ipairs { {}, false } do
                    local reason, seen = stop(c, "enough", events or nil)
                    assert.equal("enough", reason)
                    assert.same({}, seen.events)
                    stages.stop_all()
                end
            end)

            it(c.name .. ": what is no list of them is an error", function()
                local reason = stop(c, "enough", 42)
                assert.is_true(stagehost.is_error(reason))
                assert.equal(c.callback, reason.callback)
                assert.matches("stagehost.stop: the events must be a list, got a number$", reason.message)
            end)
        elseif not produces and c.callback ~= "handle_subscribe" then
            it(c.name .. ": there is nowhere to emit them: logged", function()
                local reason = run(c, function()
                    return stagehost.stop("enough", { 1, 2, 3 })
                end)
                assert.equal("enough", reason)
                assert.equal(1, logged "consumer_cannot_dispatch")
            end)
        end
    end
end)

describe("stop from handle_subscribe of a producer", function()
    --- The reason of the consumer's subscription, and the producer.
    local function subscribe(opts, ...)
        local n, values = select("#", ...), { ... }
        local producer = stages.start(stagehost.producer {
            handle_cast = function(_, events)
                return events
            end,
            handle_subscribe = function()
                return stagehost.stop(unpack(values, 1, n))
            end,
        }, { name = "faulty" })
        if opts.holds then
            producer:cast { 1, 2, 3 }
        end
        local told
        local consumer = stages.start(stagehost.consumer {
            handle_events = function() end,
            handle_cancel = function(_, reason, _, how)
                told = { reason, how }
            end,
        })
        faults.link(consumer, producer)
        hooks.settle(1000)
        return told, producer
    end

    it("tells the subscriber, and ends it", function()
        for _, why in ipairs { "normal", "shutdown", "enough" } do
            local told, producer = subscribe({}, why)
            assert.same({ why, "down" }, told)
            assert.is_false(producer:is_alive())
        end
    end)

    it("does not let the subscriber wait for what it will not get", function()
        local told, producer = subscribe({ holds = true }, "normal")
        assert.same({ "normal", "down" }, told)
        assert.is_true(producer:is_alive()) -- as always: until somebody has taken what it holds
        stages.stop(producer)
        told, producer = subscribe({ holds = true }, "enough")
        assert.same({ "enough", "down" }, told)
        assert.is_false(producer:is_alive())
    end)
end)
