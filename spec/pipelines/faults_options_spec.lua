-- SPDX-License-Identifier: MIT

--- Bad options of starts and subscriptions in a running host: each is refused with its name and what
--- would be right, and nothing is half started: no stage, no name, no subscription, no callback.
local faults = require "spec.support.faults"
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start
local records = {}

before_each(function()
    records = {}
    hooks.on_log(function(code, stage, message)
        records[#records + 1] = { code = code, stage = stage, message = message }
    end)
end)

after_each(function()
    stages.stop_all()
    hooks.on_log(nil)
end)

local function nothing() end

--- A definition whose callbacks are noted.
local function noted(kind, calls)
    local def = {}
    for _, name in ipairs { "init", "handle_subscribe", "handle_cancel", "terminate" } do
        if kind ~= "process" or not name:find "^handle" then
            def[name] = function()
                calls[#calls + 1] = name
            end
        end
    end
    if kind == "consumer" or kind == "producer_consumer" then
        def.handle_events = nothing
    end
    return stagehost[kind](def)
end

local all_kinds = { "producer", "consumer", "producer_consumer", "process" }
local producing = { "producer", "producer_consumer" }
local consuming = { "consumer", "producer_consumer" }

-- Options, which kinds refuse them, and what is said.
local starts = {
    { { bufer_size = 1 }, all_kinds, 'unknown option "bufer_size" of a .* %(known: ' },
    { { [1] = "x" }, all_kinds, "unknown option 1 of a " },
    { { name = "" }, all_kinds, 'option "name" must be a non%-empty string' },
    { { name = "#3" }, all_kinds, 'option "name" must not start with "#"' },
    { { worker = 1000 }, all_kinds, 'option "worker" must be at most %d+ or "any", got 1000' },
    { { worker = -1 }, all_kinds, 'option "worker" must be at least 0' },
    { { worker = 0.5 }, all_kinds, 'option "worker" must be an integer' },
    { { dispatcher = "fairly" }, producing, 'option "dispatcher"' },
    { { dispatcher = { "partition" } }, producing, "partitions" },
    { { dispatcher = { "partition", partitions = 0 } }, producing, "partitions" },
    { { dispatcher = { "demand", colour = "red" } }, producing, "colour" },
    { { dispatcher = { subscribe = 1 } }, producing, "dispatcher" },
    { { buffer_size = -1 }, producing, 'option "buffer_size" must be at least 0, got %-1' },
    { { buffer_keep = "middle" }, producing, 'option "buffer_keep" must be one of' },
    { { discard_buffer_when_no_consumers = "yes" }, producing, "must be a boolean" },
    { { polling_interval = 0 }, { "producer" }, 'option "polling_interval" must be at least 1' },
    { { demand = "hoard" }, { "producer" }, 'option "demand" must be one of' },
    { { demand = "accumulate" }, { "producer_consumer", "consumer", "process" }, 'unknown option "demand"' },
    { { buffer_size = 1 }, { "consumer", "process" }, 'unknown option "buffer_size"' },
    { { subscribe_to = true }, consuming, 'option "subscribe_to" must be a stage, a name, or a list' },
    { { subscribe_to = { 5 } }, consuming, 'option "to" must be a stage handle or a name' },
    { { subscribe_to = { { to = "p", max_demand = 0 } } }, consuming, 'option "max_demand" must be at least 1' },
    { { subscribe_to = { { to = "p", max_demand = 5, min_demand = 5 } } }, consuming,
        'option "min_demand" must be at most 4' },
    { { subscribe_to = { { to = "p", cancel = "maybe" } } }, consuming, 'option "cancel" must be one of' },
    { { subscribe_to = { "p" } }, { "producer", "process" }, 'unknown option "subscribe_to"' },
    { { end_with_last = 1 }, consuming, 'option "end_with_last" must be a boolean' },
}

describe("a start is refused, and nothing is left of it:", function()
    for _, case in ipairs(starts) do
        for _, kind in ipairs(case[2]) do
            it(kind .. ": " .. case[3], function()
                local calls, opts = {}, {}
                for key, value in pairs(case[1]) do
                    opts[key] = value
                end
                opts.name = opts.name or "it"
                local p_calls = {}
                local producer = start(noted("producer", p_calls), { name = "p" })
                p_calls[1] = nil
                local ok, err = pcall(stagehost.start, noted(kind, calls), opts)
                assert.is_false(ok)
                assert.matches(case[3], tostring(err))
                hooks.settle(1000)
                assert.same({}, calls)
                assert.same({}, p_calls)
                assert.is_nil(stagehost.whereis "it")
                assert.is_true(producer:is_alive())
                for _, record in ipairs(records) do
                    assert.is_false(record.stage == "it", record.message)
                end
            end)
        end
    end

    it("a definition that is none", function()
        for _, def in ipairs { 5, "x", {}, { kind = "producer_of_sorts" }, print } do
            local ok, err = pcall(stagehost.start, def)
            assert.is_false(ok)
            assert.matches("expected a definition", tostring(err))
        end
    end)

    it("a name that is taken", function()
        local calls = {}
        local first = start(faults.Sink, { name = "it" })
        local stage, message, reason = stagehost.start(noted("process", calls), { name = "it" })
        assert.is_nil(stage)
        assert.matches('a stage named "it" is already started', message)
        assert.equal("already_started", reason)
        assert.same({}, calls)
        assert.equal(first, stagehost.whereis "it")
    end)

    it("an argument that can't travel to another worker", function()
        if stagehost.workers() < 2 then
            return
        end
        local calls = {}
        local ok, err = pcall(stagehost.start, noted("process", calls),
            { name = "it", worker = 1, args = { deep = { newproxy() } } })
        assert.is_false(ok)
        assert.matches("args.deep%[1%]: a userdata can't travel to another worker", tostring(err))
        assert.same({}, calls)
        assert.is_nil(stagehost.whereis "it")
        stages.stop(start(faults.Sink, { name = "it" }))
    end)

    it("subscriptions after one to nobody", function()
        local calls = {}
        local producer = start(faults.Silent)
        local stage, message, reason = stagehost.start(noted("consumer", calls),
            { name = "it", subscribe_to = { producer, "nobody", producer } })
        assert.is_nil(stage)
        assert.is_string(message)
        assert.equal("noproc", reason)
        hooks.settle(1000)
        assert.is_nil(stagehost.whereis "it")
        assert.is_true(producer:is_alive())
    end)
end)

local subscriptions = {
    { { max_demand = 0 }, 'option "max_demand" must be at least 1, got 0' },
    { { max_demand = 1.5 }, 'option "max_demand" must be an integer, got 1.5' },
    { { max_demand = "10" }, 'option "max_demand" must be an integer, got "10"' },
    { { min_demand = -1 }, 'option "min_demand" must be at least 0' },
    { { min_demand = 1000 }, 'option "min_demand" must be at most 999' },
    { { cancel = "never" }, 'option "cancel" must be one of' },
    { { partition = {} }, 'option "partition" must be an integer or a string' },
    { { selector = "x" }, 'option "selector" must be a function' },
    { { current = "x" }, 'option "current" must be a subscription' },
}

describe("a subscription is refused, and neither side hears of it:", function()
    local calls, producer, consumer

    before_each(function()
        calls = {}
        producer = start(noted("producer", calls), { name = "p" })
        consumer = start(noted("consumer", calls), { name = "c" })
        calls[1], calls[2] = nil, nil
    end)

    local function refuses(stage, opts, expected)
        for _, method in ipairs { "subscribe", "async_subscribe" } do
            local ok, err = pcall(stage[method], stage, opts)
            assert.is_false(ok)
            assert.matches(expected, tostring(err))
        end
        hooks.settle(1000)
        assert.same({}, calls)
        assert.is_true(producer:is_alive() and consumer:is_alive())
    end

    for _, case in ipairs(subscriptions) do
        it(case[2], function()
            local opts = { to = producer }
            for key, value in pairs(case[1]) do
                opts[key] = value
            end
            refuses(consumer, opts, case[2])
            opts.to, opts.from = nil, consumer
            refuses(producer, opts, case[2])
        end)
    end

    it("without a partner, or with two", function()
        refuses(consumer, {}, 'option "to" must be a stage handle or a name, got nil')
        refuses(consumer, { to = 5 }, 'option "to" must be a stage handle or a name, got 5')
        refuses(consumer, { to = producer, from = consumer }, 'one of the options "to" and "from"')
        refuses(producer, { from = "c" }, 'option "from" must be a stage handle')
        refuses(consumer, "p", "subscribe: expected a table of options")
    end)

    it("to itself", function()
        local both = start(noted("producer_consumer", calls))
        calls[1] = nil
        local sub, message = both:subscribe { to = both }
        assert.is_nil(sub)
        assert.matches("can't subscribe to itself", message)
        hooks.settle(1000)
        assert.same({}, calls)
        assert.is_true(both:is_alive())
    end)

    it("of a stage that does not consume", function()
        local sub, _, reason = producer:subscribe { to = producer }
        assert.is_nil(sub)
        assert.equal("not_a_consumer", reason)
        assert.same({}, calls)
    end)
end)

describe("a subscription that the producer's dispatcher refuses", function()
    it("is cancelled, and the stages live", function()
        local producer = start(stagehost.producer {}, { dispatcher = { "partition", partitions = 2 } })
        local told
        local consumer = start(stagehost.consumer {
            handle_events = nothing,
            handle_cancel = function(_, reason)
                told = reason
            end,
        })
        for _, partition in ipairs { 7, "x", "none" } do
            told = nil
            assert(consumer:subscribe {
                to = producer, cancel = "temporary", partition = partition ~= "none" and partition or nil,
            })
            hooks.settle(1000)
            assert.is_truthy(told, tostring(partition))
        end
        assert.is_true(producer:is_alive() and consumer:is_alive())
        assert(consumer:subscribe { to = producer, cancel = "temporary", partition = 1 })
        told = nil
        hooks.settle(1000)
        assert.is_nil(told)
    end)
end)
