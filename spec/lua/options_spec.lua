-- SPDX-License-Identifier: MIT

--- The options of starts and subscriptions, without a host: handles are stand-ins.
local definition = require "stagehost.options.definition"
local options = require "stagehost.options"
local subscription = require "stagehost.options.subscription"

local registry = debug.getregistry()

--- A userdata that passes for an object of the C half.
local function stand_in(name)
    local saved = registry[name]
    local object = newproxy(true)
    registry[name] = getmetatable(object)
    return object, function()
        registry[name] = saved
    end
end

local function error_of(f, ...)
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    return err
end

local function nothing() end

describe("options of a start", function()
    local producer = definition.new("producer", { handle_demand = nothing })
    local both = definition.new("producer_consumer", { handle_events = nothing })
    local consumer = definition.new("consumer", { handle_events = nothing })
    local process = definition.new("process", {})

    local function start(def, opts)
        return options.start(def, opts, 4)
    end

    it("says what the C half needs before the stage exists", function()
        local args = {}
        assert.same({ kind = "process" }, start(process))
        local request = start(process, { name = "x", args = args, worker = 3 })
        assert.same({ kind = "process", name = "x", args = args, worker = 3 }, request)
        assert.equal(args, request.args)
        assert.equal("any", start(process, { worker = "any" }).worker)
    end)

    it("gives the rest the form that the C half reads", function()
        local request = start(producer, {
            buffer_size = "infinity", buffer_keep = "first", demand = "accumulate",
            discard_buffer_when_no_consumers = true, polling_interval = 20, dispatcher = "demand",
        })
        assert.same({
            buffer_size = "infinity", buffer_keep = "first", demand = "accumulate",
            discard_buffer_when_no_consumers = true, polling_interval = 20,
            dispatcher = { kind = "demand" },
        }, request.options)
        assert.equal(0, start(producer, { buffer_size = 0 }).options.buffer_size)
        assert.equal(7, start(producer, { buffer_size = 7 }).options.buffer_size)
        assert.is_false(start(producer, { discard_buffer_when_no_consumers = false })
            .options.discard_buffer_when_no_consumers)
    end)

    it("takes defaults from the definition", function()
        local def = definition.new("producer", {
            buffer_size = 5, buffer_keep = "first", name = "a",
        })
        local request = start(def, { buffer_size = 6 })
        assert.same({ buffer_size = 6, buffer_keep = "first" }, request.options)
        assert.equal("a", request.name)
        local derived = setmetatable({ name = "b" }, { __index = def })
        request = start(definition.new("producer", derived))
        assert.same({ buffer_size = 5, buffer_keep = "first" }, request.options)
        assert.equal("b", request.name)
    end)

    it("names unknown options and those that are known for the kind", function()
        local cases = {
            { consumer, { buffer_size = 1, dispatcher = "demand" },
                'unknown option "buffer_size", "dispatcher" of a consumer '
                .. '%(known: "args", .*"end_with_last", .*"name", .*"subscribe_to", .*"worker"%)' },
            { both, { demand = "forward" }, 'unknown option "demand" of a producer_consumer' },
            { producer, { subscribe_to = {} }, 'unknown option "subscribe_to" of a producer ' },
            { process, { buffer_keep = "last" },
                'of a process %(known: "args", "link", "name", "supervised", "worker"%)' },
        }
        for _, case in ipairs(cases) do
            local err = error_of(start, case[1], case[2])
            assert.equal("unknown_option", err.name)
            assert.matches(case[3], tostring(err))
        end
    end)

    local refused = {
        { { buffer_size = 1.5 }, 'option "buffer_size" must be an integer, got 1.5' },
        { { buffer_size = 0 / 0 }, 'option "buffer_size" must be an integer, got ' },
        { { buffer_size = 2 ^ 60 }, 'option "buffer_size" must be an integer, got ' },
        { { buffer_size = -1 }, 'option "buffer_size" must be at least 0, got %-1' },
        { { buffer_size = "big" },
            'option "buffer_size" must be an integer or "infinity", got "big"' },
        { { buffer_keep = "all" },
            'option "buffer_keep" must be one of "first", "last", got "all"' },
        { { buffer_keep = {} },
            'option "buffer_keep" must be one of "first", "last", got a table' },
        { { demand = true }, 'option "demand" must be one of "accumulate", "forward", got true' },
        { { discard_buffer_when_no_consumers = 1 }, "must be a boolean, got 1" },
        { { polling_interval = 0 }, 'option "polling_interval" must be at least 1, got 0' },
        { { name = 5 }, 'option "name" must be a non%-empty string, got 5' },
        { { name = "#1" }, 'must not start with "#"' },
        { { name = "a\0b" }, "must not contain a zero byte" },
        { { worker = 4 }, 'option "worker" must be at most 3 or "any", got 4' },
        { { worker = "last" }, 'option "worker" must be an integer or "any", got "last"' },
    }

    for _, case in ipairs(refused) do
        it("refuses " .. next(case[1]) .. ": " .. case[2], function()
            local err = error_of(start, producer, case[1])
            assert.equal("invalid_option", err.name)
            assert.matches(case[2], tostring(err))
        end)
    end

    it("points at the caller", function()
        local err = error_of(function()
            return (start(producer, { buffer_size = false }))
        end)
        assert.matches("^[^\n]*options_spec.lua:%d+: option ", tostring(err))
    end)

    it("wants a table of options", function()
        assert.error_matches(function()
            start(producer, "fast")
        end, "expected a table of options, got string")
    end)

    it("always reports the same of several mistakes", function()
        local opts = { name = 1, buffer_size = "x", demand = "y", polling_interval = "z" }
        for _ = 1, 5 do
            assert.matches('"buffer_size"', tostring(error_of(start, producer, opts)))
        end
    end)

    describe("subscribe_to", function()
        it("takes names, handles and tables", function()
            local stage, restore = stand_in("stagehost.stage")
            finally(restore)
            local list = start(consumer, {
                subscribe_to = { "a", stage, { to = "b", max_demand = 10, cancel = "temporary" } },
            }).options.subscribe_to
            assert.same({ to = "a", extra = {} }, list[1])
            assert.equal(stage, list[2].to)
            assert.same({
                to = "b", max_demand = 10, cancel = "temporary",
                extra = { max_demand = 10, cancel = "temporary" },
            }, list[3])
        end)

        it("must be a list of valid subscriptions", function()
            local cases = {
                { { a = 1 }, 'unknown option "a" of a subscription' },
                { { "a", [3] = "c" }, 'option "subscribe_to" must be a list without holes %(element 2 is nil%)' },
                { true, 'option "subscribe_to" must be a stage, a name, or a list of these, got true' },
                { { { max_demand = 1 } }, 'option "to" must be a stage handle or a name, got nil' },
                { { {} }, 'option "to" must be a stage handle or a name, got nil' },
                { { 5 }, 'option "to" must be a stage handle or a name, got 5' },
                { { { to = "a", max_demand = 0 } },
                    'option "max_demand" must be at least 1, got 0' },
            }
            for _, case in ipairs(cases) do
                assert.error_matches(function()
                    start(consumer, { subscribe_to = case[1] })
                end, case[2])
            end
        end)
    end)

    describe("merged with what init returned", function()
        it("are overridden one by one", function()
            local started = start(producer, { buffer_size = 5, buffer_keep = "first" }).options
            assert.same({ buffer_size = 6, buffer_keep = "first" },
                options.merge("producer", started, { buffer_size = 6 }))
            assert.same({ buffer_size = 5, buffer_keep = "first" },
                options.merge("producer", started, {}))
            assert.same({ buffer_size = 3 }, options.merge("producer", nil, { buffer_size = 3 }))
        end)

        it("make the subscriptions of both, those of the start first", function()
            local started = start(consumer, { subscribe_to = { "a", "b" } }).options
            local merged = options.merge("consumer", started, { subscribe_to = { "c" } })
            local names = {}
            for i, entry in ipairs(merged.subscribe_to) do
                names[i] = entry.to
            end
            assert.same({ "a", "b", "c" }, names)
            assert.equal(2, #started.subscribe_to)
        end)

        it("answer a text instead of raising", function()
            local merged, message = options.merge("consumer", nil, { buffer_size = 3 })
            assert.is_nil(merged)
            assert.matches('unknown option "buffer_size" of a consumer %(known:', message)
            assert.matches('"subscribe_to"', message)
            assert.matches('unknown option "name" of a consumer',
                select(2, options.merge("consumer", nil, { name = "x" })))
        end)
    end)
end)

describe("options of a subscription", function()
    it("keep what others understand", function()
        local function selector() end
        local result = subscription.check {
            to = "p", min_demand = 0, max_demand = 1, partition = 3, selector = selector,
            opts = { color = "red" },
        }
        assert.same({
            to = "p", min_demand = 0, max_demand = 1, partition = "3", selector = selector,
            extra = {
                min_demand = 0, max_demand = 1, partition = 3, selector = selector, opts = { color = "red" },
            },
        }, result)
    end)

    it("may replace a subscription", function()
        local current, restore = stand_in("stagehost.subscription")
        finally(restore)
        local result = subscription.check { to = "p", current = current, reason = "moved" }
        assert.equal(current, result.current)
        assert.equal("moved", result.reason)
        assert.same({}, result.extra)
    end)

    local refused = {
        { { max_demand = "many" }, 'option "max_demand" must be an integer, got "many"' },
        { { max_demand = 0 }, 'option "max_demand" must be at least 1, got 0' },
        { { min_demand = -1 }, 'option "min_demand" must be at least 0, got %-1' },
        { { min_demand = 1000 },
            'option "min_demand" must be at most 999 %(max_demand %- 1%), got 1000' },
        { { max_demand = 10, min_demand = 10 }, 'option "min_demand" must be at most 9 ' },
        { { cancel = "never" },
            'option "cancel" must be one of "permanent", "temporary", "transient", got "never"' },
        { { partition = {} }, 'option "partition" must be an integer or a string, got a table' },
        { { partition = 1.5 }, 'option "partition" must be an integer or a string, got 1.5' },
        { { selector = "all" }, 'option "selector" must be a function, got "all"' },
        { { current = "x" }, 'option "current" must be a subscription, got "x"' },
        { { to = {} }, 'option "to" must be a stage handle or a name, got a table' },
        { { max_demnd = 1 },
            'unknown option "max_demnd" of a subscription: did you mean "max_demand"%? %(known: .*"to"' },
        { { cancle = "temporary" }, 'unknown option "cancle" of a subscription: did you mean "cancel"%?' },
        { { color = "red" }, 'unknown option "color" of a subscription %(known: ' },
        { { max_demnd = 1, cancle = 1 }, 'unknown option "cancle", "max_demnd" of a subscription %(known: ' },
        { { mode = "manual" }, 'unknown option "mode" of a subscription: a consumer asks by hand if its '
            .. 'handle_subscribe returns "manual" %(known: ' },
        { { opts = "red" }, 'option "opts" must be a table, got "red"' },
        { { to = "" }, 'option "to" must be a stage handle or a name, got ""' },
    }

    for _, case in ipairs(refused) do
        it("refuse: " .. case[2], function()
            local given = { to = "p" }
            for key, value in pairs(case[1]) do
                given[key] = value
            end
            assert.error_matches(function()
                subscription.check(given)
            end, case[2])
        end)
    end

    it("can be given from either side", function()
        local stage, restore = stand_in("stagehost.stage")
        finally(restore)
        local consumer, checked = subscription.link(stage, { to = "p" })
        assert.equal(stage, consumer)
        assert.equal("p", checked.to)
        consumer, checked = subscription.link(stage, { from = stage, max_demand = 5 })
        assert.equal(stage, consumer)
        assert.same({ max_demand = 5 }, checked.extra)
        assert.error_matches(function()
            subscription.link(stage, { from = "name" })
        end, 'option "from" must be a stage handle, got "name"')
        assert.error_matches(function()
            subscription.link(stage, { from = stage, to = "p" })
        end, 'one of the options "to" and "from"')
        assert.error_matches(function()
            subscription.link(stage, stage)
        end, "subscribe: expected a table of options such as { to = producer }, got userdata")
    end)
end)
