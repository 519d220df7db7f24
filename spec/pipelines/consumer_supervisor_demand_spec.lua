-- SPDX-License-Identifier: MIT

--- consumer_supervisor: what it asks of its producers, and max_children. The arithmetic alone is in
--- spec/lua/consumer_supervisor_child_demand_spec.lua.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"
local supervised = require "spec.support.supervised"

local functions = stagehost.consumer_supervisor
local children, count, demands = supervised.children, supervised.count, supervised.demands
local emit, events, finish = supervised.emit, supervised.events, supervised.finish

after_each(stages.stop_all)

local function subscribed(options, max, min)
    local source = supervised.source()
    options.subscribe_to = { { to = source, max_demand = max, min_demand = min, cancel = "temporary" } }
    return supervised.supervisor(options), source
end

local function finish_first(supervisor, reason)
    finish(children(supervisor)[1], reason)
end

describe("demand", function()
    it("1/0: one child at a time; each end lets exactly one more through", function()
        local supervisor, source = subscribed({}, 1, 0)
        emit(source, "a", { fails = "error" }, { fails = "ignore" }, "b", "c", "d")
        assert.same({ "a" }, events(supervisor))
        finish_first(supervisor)
        assert.same({ "b" }, events(supervisor))
        finish_first(supervisor, "boom")
        assert.same({ "c" }, events(supervisor))
        functions.terminate_child(supervisor, children(supervisor)[1])
        assert.same({ "d" }, events(supervisor))
        finish_first(supervisor)
        assert.same({ 1, 1 }, demands(source))
    end)

    it("1/0 transient: a crash needs no new demand", function()
        local supervisor, source = subscribed({ restart = "transient" }, 1, 0)
        emit(source, "a", "b")
        finish_first(supervisor, "boom")
        assert.same({ "a" }, events(supervisor))
        finish_first(supervisor)
        assert.same({ "b" }, events(supervisor))
        assert.same({ 1 }, demands(source))
    end)

    it("3/2: asks when two have ended, not before", function()
        local supervisor, source = subscribed({}, 3, 2)
        emit(source, "a", "b", "c")
        finish_first(supervisor)
        assert.same({ 3 }, demands(source))
        finish_first(supervisor)
        assert.same({ 3, 2 }, demands(source))
        emit(source, "d", "e", "f")
        assert.same({ "c", "d", "e" }, events(supervisor))
    end)

    it("3/0: two of three events are no reason to ask", function()
        local supervisor, source = subscribed({}, 3, 0)
        emit(source, "a", "b")
        assert.same({ "a", "b" }, events(supervisor))
        assert.same({ 3 }, demands(source))
    end)

    it("10/8: finished children count, or what is left with low_water", function()
        for refill, expected in pairs { finished = { 10, 8 }, low_water = { 10, 2, 2, 2, 2, 2 } } do
            local supervisor, source = subscribed({ refill = refill }, 10, 8)
            emit(source, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
            for _, child in ipairs(children(supervisor)) do
                finish(child)
            end
            assert.same(expected, demands(source))
        end
    end)

    it("is counted for each producer", function()
        local supervisor = supervised.supervisor {}
        local a, b = supervised.source(), supervised.source()
        supervisor:subscribe { to = a, max_demand = 1, min_demand = 0 }
        supervisor:subscribe { to = b, max_demand = 4 }
        emit(b, "b1", "b2", "b3", "b4", "b5")
        emit(a, "a1", "a2")
        assert.same({ "b1", "b2", "b3", "b4", "a1" }, events(supervisor))
        finish_first(supervisor)
        assert.same({ "b2", "b3", "b4", "a1" }, events(supervisor))
        finish_first(supervisor)
        assert.same({ "b3", "b4", "a1", "b5" }, events(supervisor))
    end)

    it("children of a producer that has left free nothing for the next one", function()
        local supervisor, source = subscribed({}, 2, 0)
        emit(source, "a", "b")
        local old = children(supervisor)
        source:stop("shutdown")
        local next_source = supervised.source()
        supervisor:subscribe { to = next_source, max_demand = 2, min_demand = 0 }
        assert.same({ 2 }, demands(next_source))
        finish(old[1])
        finish(old[2])
        assert.same({ 2 }, demands(next_source))
    end)

    it("children started by hand are none of a producer's", function()
        local supervisor, source = subscribed({}, 1, 0)
        finish(assert(functions.start_child(supervisor, "by hand")))
        assert.same({ 1 }, demands(source))
    end)
end)

describe("max_children", function()
    it("is never exceeded, whatever max_demand is", function()
        local supervisor, source = subscribed({ max_children = 3 })
        assert.same({ 3 }, demands(source))
        emit(source, 1, 2, 3, 4, 5)
        assert.same({ 1, 2, 3 }, events(supervisor))
        finish_first(supervisor)
        assert.same({ 2, 3, 4 }, events(supervisor))
    end)

    it("start_child answers overloaded", function()
        local supervisor = supervised.supervisor { max_children = 2 }
        assert(functions.start_child(supervisor, 1))
        assert(functions.start_child(supervisor, 2))
        local child, message, reason = functions.start_child(supervisor, 3)
        assert.is_nil(child)
        assert.equal("overloaded", message)
        assert.equal("overloaded", reason)
        finish_first(supervisor)
        assert(functions.start_child(supervisor, 3))
        assert.equal("2, 2", count(supervisor))
    end)

    it("start_child takes no slot that a producer was promised, and gives none up that it took", function()
        local supervisor, source = subscribed({ max_children = 3 }, 2, 0)
        assert.same({ 2 }, demands(source))
        local child = assert(functions.start_child(supervisor, "by hand"))
        assert.equal("overloaded", select(2, functions.start_child(supervisor, "one more")))
        emit(source, 1, 2, 3)
        assert.same({ "by hand", 1, 2 }, events(supervisor))
        finish(child)
        assert.same({ 1, 2 }, events(supervisor)) -- the producer's own max_demand
        assert(functions.start_child(supervisor, "by hand"))
    end)

    it("asks for a slot as soon as it is free", function()
        local supervisor = supervised.supervisor { max_children = 2 }
        local first = assert(functions.start_child(supervisor, "a"))
        local second = assert(functions.start_child(supervisor, "b"))
        local source = supervised.source()
        supervisor:subscribe { to = source, max_demand = 10, min_demand = 0 }
        assert.same({}, demands(source))
        finish(first)
        assert.same({ 1 }, demands(source))
        finish(second)
        assert.same({ 1, 1 }, demands(source))
    end)

    it("holds the slots of children that are being restarted", function()
        local supervisor, source = subscribed({
            max_children = 1, restart = "transient", max_restarts = 1000000000,
        }, 1, 0)
        emit(source, { fails = "error", fails_from = 2 })
        local child = children(supervisor)[1]
        child:cast "boom"
        child:join()
        assert.equal("overloaded", select(2, functions.start_child(supervisor, "x")))
        functions.terminate_child(supervisor, child)
        assert.same({ 1, 1 }, demands(source))
    end)

    it("is shared by producers that subscribe together", function()
        local a, b = supervised.source(), supervised.source()
        local supervisor = supervised.supervisor { max_children = 4, subscribe_to = { a, b } }
        assert.same({ 2 }, demands(a))
        assert.same({ 2 }, demands(b))
        emit(a, "a1", "a2", "a3")
        emit(b, "b1", "b2", "b3")
        assert.same({ "a1", "a2", "b1", "b2" }, events(supervisor))
    end)

    it("what was promised to a producer that leaves goes to the others", function()
        local a, b = supervised.source(), supervised.source()
        local supervisor = supervised.supervisor { max_children = 2 }
        supervisor:subscribe { to = a, cancel = "temporary" }
        assert.same({ 2 }, demands(a))
        supervisor:subscribe { to = b }
        assert.same({}, demands(b))
        a:stop("shutdown")
        assert.same({ 2 }, demands(b))
    end)
end)

describe("children that are killed, crash and end at random", function()
    for _, refill in ipairs { "finished", "low_water" } do
        it("lose no slot and no event: " .. refill, function()
            local n, running, most, done = 2000, 0, 0, {}
            math.randomseed(11)
            local numbers = {}
            for i = 1, n do
                numbers[i] = i
            end
            local source = stages.start(stagehost.source.list(numbers), { demand = "accumulate" })
            local supervisor = supervised.supervisor {
                restart = "transient",
                max_restarts = 1000000,
                max_children = 10,
                refill = refill,
                child = function(event)
                    running = running + 1
                    most = math.max(most, running)
                    local dice = math.random(8)
                    if dice == 1 then
                        running = running - 1
                        stagehost.self():kill()
                        stagehost.sleep(1000)
                    elseif dice < 4 then
                        stagehost.sleep(0)
                    end
                    running = running - 1
                    if dice == 8 then
                        error "boom"
                    end
                    done[event] = (done[event] or 0) + 1
                end,
                subscribe_to = { { to = source, max_demand = 7 } },
            }
            source:demand "forward"
            assert.equal("normal", supervisor:join())
            assert.equal(n, #done)
            for i = 1, n do
                assert(done[i] == 1)
            end
            assert.is_true(most <= 10)
        end)
    end
end)

describe("anything else that is sent to it", function()
    it("is ignored", function()
        local supervisor = supervised.supervisor {}
        supervisor:send "hello"
        supervisor:cast { note = "nonsense" }
        supervisor:send { note = "nonsense" }
        supervisor:send { note = "retry", child = 7 }
        assert.is_nil((supervisor:call "hello"))
        assert.equal("0, 0", count(supervisor))
    end)
end)
