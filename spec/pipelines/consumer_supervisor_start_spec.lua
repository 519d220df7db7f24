-- SPDX-License-Identifier: MIT

--- consumer_supervisor: its options, and how children are started.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"
local supervised = require "spec.support.supervised"

local functions = stagehost.consumer_supervisor
local count, emit, events = supervised.count, supervised.emit, supervised.events

after_each(stages.stop_all)

local function subscribed(options, subscription)
    local source = supervised.source()
    subscription = subscription or { max_demand = 10, min_demand = 0 }
    subscription.to = source
    options = options or {}
    options.subscribe_to = { subscription }
    return supervised.supervisor(options), source
end

local function refused(options)
    local ok, problem = pcall(functions, options)
    assert.is_false(ok)
    return problem.message
end

describe("the options of a consumer_supervisor", function()
    local Child = supervised.Child

    it("need a child, a definition or a function", function()
        assert.matches('option "child" must be a definition or a function, got nil', refused {})
        assert.matches('option "child" must be a definition or a function', refused { child = 1 })
        assert.matches("expected a definition", refused { child = {} })
        assert.matches("expected options", refused(nil))
    end)

    it("know no permanent children", function()
        assert.matches('option "restart" must be one of "temporary", "transient", got "permanent"',
            refused { child = Child, restart = "permanent" })
    end)

    it("are checked each", function()
        assert.matches('option "shutdown" must be', refused { child = Child, shutdown = "soon" })
        assert.matches('option "max_restarts" must be at least 0', refused { child = Child, max_restarts = -1 })
        assert.matches('option "max_seconds" must be an integer', refused { child = Child, max_seconds = 0.5 })
        assert.matches('option "max_children" must be at least 1', refused { child = Child, max_children = 0 })
        assert.matches('option "refill" must be one of', refused { child = Child, refill = "often" })
        assert.matches('option "at_end" must be one of', refused { child = Child, at_end = "wait" })
        assert.matches('option "name" must be a function', refused { child = Child, name = 7 })
        assert.matches('unknown option "strategy" of a consumer_supervisor', refused { child = Child, strategy = "x" })
        assert.matches('"max_children" must be at least 3 %(shards%)',
            refused { child = Child, max_children = 2, shards = 3 })
    end)

    it("take the options of children's starts, but what is the supervisor's", function()
        assert.matches("unknown option", refused { child = Child, options = { colour = "red" } })
        assert.matches('"options.args" must be a list', refused { child = Child, options = { args = "x" } })
        assert.matches("name is not for the template", refused { child = Child, options = { name = "x" } })
        assert.matches("link is not for the template", refused { child = Child, options = { link = true } })
    end)

    it("a name makes it found", function()
        local supervisor = supervised.supervisor { name = "the supervisor" }
        assert.equal(supervisor, stagehost.whereis "the supervisor")
        assert.equal("0, 0", count "the supervisor")
    end)
end)

describe("start_child", function()
    local supervisor

    before_each(function()
        supervisor = supervised.supervisor()
    end)

    it("answers the child, which has the event as its args", function()
        local child = assert(functions.start_child(supervisor, "event"))
        assert.equal("event", child:call "x")
        assert.equal("1, 1", count(supervisor))
    end)

    for kind, expected in pairs { error = "oops", bad = "bad_return_value", raise = "error" } do
        it("answers why it failed: " .. kind, function()
            local child, message, reason = functions.start_child(supervisor, { fails = kind })
            assert.is_nil(child)
            assert.equal("string", type(message))
            assert.equal(expected, type(reason) == "table" and reason.name or reason)
            assert.equal("0, 0", count(supervisor))
        end)
    end

    it("answers that it failed: throw", function()
        assert.is_nil((functions.start_child(supervisor, { fails = "throw" })))
        assert.equal("0, 0", count(supervisor))
    end)

    it("answers that its init wanted none", function()
        local child, _, reason = functions.start_child(supervisor, { fails = "ignore" })
        assert.is_nil(child)
        assert.equal("ignore", reason)
    end)

    it("is answered by no other stage", function()
        local process = stages.start(stagehost.process { handle_call = function() return nil end })
        local child, message = functions.start_child(process, 1)
        assert.is_nil(child)
        assert.equal("string", type(message))
        assert.has_error(function() functions.start_child(42, 1) end)
        local _, _, reason = functions.start_child("nobody", 1)
        assert.equal("noproc", reason)
    end)
end)

describe("a child for each event", function()
    it("as they come, in order", function()
        local supervisor, source = subscribed()
        emit(source, "a", "b")
        emit(source, "c")
        assert.same({ "a", "b", "c" }, events(supervisor))
    end)

    it("those whose start fails are none; the supervisor lives", function()
        local supervisor, source = subscribed()
        emit(source, "a")
        assert.equal("1, 1", count(supervisor))
        emit(source, "b")
        assert.equal("2, 2", count(supervisor))
        for _, kind in ipairs { "error", "ignore", "bad", "raise", "throw" } do
            emit(source, { fails = kind })
            assert.equal("2, 2", count(supervisor))
        end
        assert.is_true(supervisor:is_alive())
    end)

    it("false is an event", function()
        local supervisor, source = subscribed()
        emit(source, false)
        assert.same({ false }, events(supervisor))
    end)

    it("with args in the template before it", function()
        local source = supervised.source()
        local supervisor = supervised.supervisor {
            options = { args = { "x", 2 } },
            subscribe_to = { source },
        }
        emit(source, "event")
        assert.same({ { "x", 2, "event" } }, events(supervisor))
    end)

    it("of any kind of stage", function()
        local got = {}
        local child = stagehost.consumer {
            init = function(_, producer)
                return { subscribe_to = { { to = producer, cancel = "permanent" } } }
            end,
            handle_events = function(_, batch)
                for _, event in ipairs(batch) do
                    table.insert(got, event)
                end
            end,
        }
        local supervisor, source = subscribed { child = child }
        emit(source, supervised.source())
        local inner = stages.start(stagehost.source.list { 1, 2, 3 })
        emit(source, inner)
        assert.same({ 1, 2, 3 }, got)
        assert.equal("1, 1", count(supervisor))
    end)

    it("from a source that ends", function()
        local seen = {}
        local supervisor = supervised.supervisor {
            child = function(event) table.insert(seen, event) end,
        }
        supervisor:subscribe { to = stages.start(stagehost.source.list { 1, 2, 3 }), cancel = "temporary" }
        supervised.settle()
        assert.same({ 1, 2, 3 }, seen)
        assert.equal("0, 0", count(supervisor))
    end)
end)

describe("a function as child", function()
    it("runs beside the others, and may wait", function()
        local order, waiters = {}, {}
        local source = supervised.source()
        supervised.supervisor {
            child = function(event)
                waiters[event] = stagehost.self()
                table.insert(order, "begin " .. event)
                if event == "slow" then
                    stagehost.sleep(20)
                end
                table.insert(order, "end " .. event)
            end,
            subscribe_to = { source },
        }
        emit(source, "slow", "fast")
        waiters.slow:join()
        assert.same({ "begin slow", "begin fast", "end fast", "end slow" }, order)
    end)

    it("gets the args of the template first", function()
        local got
        local source = supervised.source()
        supervised.supervisor {
            child = function(...) got = { n = select("#", ...), ... } end,
            options = { args = { "x", false } },
            subscribe_to = { source },
        }
        emit(source, "event")
        assert.same({ n = 3, "x", false, "event" }, got)
    end)

    it("that raises ends as a crash, and frees its slot", function()
        local source = supervised.source()
        local supervisor = supervised.supervisor {
            child = function() error("boom") end,
            subscribe_to = { { to = source, max_demand = 1, min_demand = 0 } },
        }
        emit(source, "a")
        assert.same({ 1, 1 }, supervised.demands(source))
        assert.is_true(supervisor:is_alive())
    end)
end)

describe("names of children", function()
    local function named(options)
        options = options or {}
        options.name = function(event)
            return event.name
        end
        return supervised.supervisor(options)
    end

    it("find them", function()
        local supervisor = named()
        local child = assert(functions.start_child(supervisor, { name = "named child" }))
        assert.equal(child, functions.lookup(supervisor, "named child"))
        assert.equal(child, stagehost.whereis "named child")
        assert.is_nil(functions.lookup(supervisor, "another"))
        assert.equal("named child", functions.which_children(supervisor)[1].name)
    end)

    it("are the children's own: the supervisor finds no others", function()
        local supervisor = named()
        stages.start(stagehost.process {}, { name = "no child" })
        assert.is_nil((functions.lookup(supervisor, "no child")))
    end)

    it("are unique: a second child can't be started", function()
        local supervisor = named()
        assert(functions.start_child(supervisor, { name = "twice" }))
        local child, _, reason = functions.start_child(supervisor, { name = "twice" })
        assert.is_nil(child)
        assert.equal("already_started", reason)
        assert.equal("1, 1", count(supervisor))
    end)

    it("are kept by a restart, and free after the end", function()
        local supervisor = named { restart = "transient" }
        local first = assert(functions.start_child(supervisor, { name = "kept" }))
        supervised.finish(first, "boom")
        local second = assert(functions.lookup(supervisor, "kept"))
        assert.not_equal(first, second)
        assert.is_true(functions.terminate_child(supervisor, "kept"))
        assert.is_nil(functions.lookup(supervisor, "kept"))
        assert(functions.start_child(supervisor, { name = "kept" }))
    end)

    it("may be none for some events; one that is no name fails the start", function()
        local supervisor = named()
        assert(functions.start_child(supervisor, {}))
        assert.is_nil((functions.start_child(supervisor, { name = 5 })))
        assert.equal("1, 1", count(supervisor))
    end)
end)
