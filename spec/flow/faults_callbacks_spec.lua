-- SPDX-License-Identifier: MIT

--- Every callback that raises, returns what it must not, or returns nil: how its stage ends, who
--- ends with it, and what the log says.
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start
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

-- Ten events, and no more.
local Source = stagehost.producer {
    handle_demand = function(self)
        local events = not self.emitted and { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } or nil
        self.emitted = true
        return events
    end,
}
local Silent = stagehost.producer { handle_demand = nothing }
local Sink = stagehost.consumer { handle_events = nothing }

--- Subscribes by a subscription that does not end its consumer with it.
local function link(consumer, producer, more)
    local opts = { to = producer, cancel = "temporary", max_demand = 10 }
    for key, value in pairs(more or {}) do
        opts[key] = value
    end
    return assert(consumer:subscribe(opts))
end

--- One fault in one callback. `poke` makes the callback run, with the faulty stage and another one that
--- it is or gets subscribed with.
local function case(kind, callback, other, poke)
    return { kind = kind, callback = callback, other = other, poke = poke, name = kind .. " " .. callback }
end

local function to_producer(stage, other)
    link(other, stage)
end

local function to_consumer(stage, other)
    link(stage, other)
end

-- The subscriber does not wait: what becomes of it is the stage's matter here.
local function to_consumer_at_once(stage, other)
    stage:async_subscribe { to = other, cancel = "temporary" }
end

local cases = {
    case("producer", "handle_demand", Sink, to_producer),
    case("consumer", "handle_events", Source, to_consumer),
    case("producer_consumer", "handle_events", Source, function(stage, other)
        link(start(Sink), stage) -- its demand is what lets the events in
        link(stage, other)
    end),
    case("consumer", "handle_subscribe", Silent, to_consumer_at_once),
    case("producer", "handle_subscribe", Sink, to_producer),
    case("producer_consumer", "handle_subscribe", Silent, to_consumer_at_once),
    case("consumer", "handle_cancel", Silent, function(stage, other)
        link(stage, other):cancel "enough"
    end),
    case("producer", "handle_cancel", Sink, function(stage, other)
        link(other, stage):cancel "enough"
    end),
    case("producer_consumer", "handle_cancel", Silent, function(stage, other)
        link(stage, other):cancel "enough"
    end),
    case("consumer", "handle_notification", Silent, function(stage, other)
        link(stage, other)
        hooks.settle(1000)
        other:notify "news"
    end),
    case("producer_consumer", "handle_notification", Silent, function(stage, other)
        link(stage, other)
        hooks.settle(1000)
        other:notify "news"
    end),
}
for _, kind in ipairs { "producer", "consumer", "producer_consumer", "process" } do
    table.insert(cases, case(kind, "handle_cast", nil, function(stage)
        stage:cast "x"
    end))
    table.insert(cases, case(kind, "handle_info", nil, function(stage)
        stage:send "x"
    end))
end

--- A definition of the kind whose callback is `fault`.
local function faulty(kind, callback, fault)
    local def = { [callback] = fault }
    if kind == "producer" then
        def.handle_demand = def.handle_demand or nothing
    elseif kind ~= "process" then
        def.handle_events = def.handle_events or nothing
    end
    return stagehost[kind](def)
end

local function errors_in_log()
    local found = {}
    for _, record in ipairs(log) do
        if record.message:find("boom", 1, true) or record.message:find("returned", 1, true) then
            found[#found + 1] = record
        end
    end
    return found
end

--- Runs the case, waits until all is quiet, and says what the stage came to: its reason, or "alive".
local function run(c, fault)
    local bystander = start(Silent)
    local other = c.other and start(c.other, { name = "other" })
    local stage = start(faulty(c.kind, c.callback, fault), { name = "faulty" })
    local reason
    local watcher = start(stagehost.process {
        handle_cast = function()
            reason = stage:join()
        end,
    })
    watcher:cast "watch"
    hooks.settle(1000)
    c.poke(stage, other)
    assert.is_true(hooks.settle(1000))
    assert.is_true(bystander:is_alive())
    assert.is_true(not other or other:is_alive(), "the other one ended as well")
    if stage:is_alive() then
        return "alive"
    end
    return reason
end

local function boom()
    error "boom"
end

-- What no callback but handle_call may return.
local bad = {
    ["a number"] = { 42, "a number %(42%)" },
    ["a string"] = { "what", 'a string %("what"%)' },
    ["a boolean"] = { true, "a boolean %(true%)" },
    ["a function"] = { print, "a function" },
    ["a userdata"] = { io.stdout, "a userdata" },
    ["a table of keys"] = { { key = 1 }, "a table" },
}

describe("a fault in", function()
    for _, c in ipairs(cases) do
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
            if c.callback ~= "handle_subscribe" then
                stages.stop_all()
                assert.equal("alive", run(c, function()
                    return {}
                end))
            end
        end)
    end
end)

describe("a partner by a permanent subscription ends with it:", function()
    it("the consumer of a producer that fails", function()
        local producer = start(faulty("producer", "handle_cast", boom), { name = "faulty" })
        local consumer = start(Sink, { subscribe_to = { producer } })
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
        local producer = start(Source)
        local consumer = start(faulty("consumer", "handle_events", boom), { subscribe_to = { producer } })
        assert.equal("error", consumer:join().name)
        hooks.settle(1000)
        assert.is_true(producer:is_alive())
    end)
end)
