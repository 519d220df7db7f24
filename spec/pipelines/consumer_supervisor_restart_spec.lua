-- SPDX-License-Identifier: MIT

--- consumer_supervisor: which children are started again, and when it gives up.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"
local supervised = require "spec.support.supervised"

local functions = stagehost.consumer_supervisor
local children, count, emit, finish = supervised.children, supervised.count, supervised.emit, supervised.finish

after_each(stages.stop_all)

local function subscribed(options)
    local source = supervised.source()
    options.subscribe_to = { { to = source, max_demand = options.max_demand or 10, min_demand = 0 } }
    options.max_demand = nil
    return supervised.supervisor(options), source
end

--- A child that is running, and crashes.
local function crash(supervisor)
    finish(children(supervisor)[1], "boom")
end

describe("temporary children", function()
    for _, reason in ipairs { "normal", "shutdown", "boom" } do
        it("are not started again: " .. reason, function()
            local supervisor, source = subscribed {}
            emit(source, "a")
            finish(children(supervisor)[1], reason)
            assert.equal("0, 0", count(supervisor))
            assert.same({ 10, 1 }, supervised.demands(source))
        end)
    end
end)

describe("transient children", function()
    for _, reason in ipairs { "normal", "shutdown", { "shutdown", "x" } } do
        it("are not started again after a clean end: " .. (reason[1] or reason), function()
            local supervisor, source = subscribed { restart = "transient" }
            emit(source, "a")
            finish(children(supervisor)[1], reason)
            assert.equal("0, 0", count(supervisor))
            assert.same({ 10, 1 }, supervised.demands(source))
        end)
    end

    it("are after a crash, with the same event, in the same slot", function()
        local supervisor, source = subscribed { restart = "transient", max_demand = 1 }
        emit(source, "a")
        local first = children(supervisor)[1]
        finish(first, "boom")
        local second = children(supervisor)[1]
        assert.not_equal(first, second)
        assert.equal("a", second:call "event")
        assert.same({ { stage = second, state = "running", type = "worker", restarts = 1 } },
            functions.which_children(supervisor))
        assert.equal("1, 1", count(supervisor))
        assert.same({ 1 }, supervised.demands(source))
        finish(second)
        assert.same({ 1, 1 }, supervised.demands(source))
    end)

    it("are also when they were killed", function()
        local supervisor = supervised.supervisor { restart = "transient" }
        assert(functions.start_child(supervisor, "a")):kill()
        assert.equal("1, 1", count(supervisor))
    end)

    it("functions too", function()
        local runs = 0
        local supervisor, source = subscribed {
            restart = "transient",
            child = function()
                runs = runs + 1
                if runs < 3 then
                    error("boom")
                end
            end,
        }
        emit(source, "a")
        assert.equal(3, runs)
        assert.equal("0, 0", count(supervisor))
    end)

    it("free their slot when their init wants to be ignored", function()
        local supervisor, source = subscribed { restart = "transient", max_demand = 1 }
        emit(source, { fails = "ignore", fails_from = 2 })
        crash(supervisor)
        assert.equal("0, 0", count(supervisor))
        assert.same({ 1, 1 }, supervised.demands(source))
    end)

    it("are tried again when a restart fails, each try counts", function()
        local tries = 0
        local supervisor = supervised.supervisor {
            restart = "transient",
            max_restarts = 2,
            child = stagehost.process {
                init = function()
                    tries = tries + 1
                    if tries == 2 then
                        return stagehost.stop("not yet")
                    end
                end,
                handle_cast = function(_, reason) return stagehost.stop(reason) end,
            },
        }
        assert(functions.start_child(supervisor, "a"))
        crash(supervisor)
        assert.equal(3, tries)
        assert.equal("1, 1", count(supervisor))
        local reason
        children(supervisor)[1]:cast "boom"
        reason = supervisor:join()
        assert.equal("shutdown", reason)
    end)
end)

describe("restarts that go on and on", function()
    -- A supervisor that tries for ever to start the child again that the event `stuck` stands for.
    local function stuck_supervisor(kind)
        local supervisor, source = subscribed { restart = "transient", max_restarts = 1000000000, max_demand = 1 }
        emit(source, { fails = kind, fails_from = 2 })
        local child = children(supervisor)[1]
        child:cast "boom"
        child:join()
        return supervisor, source, child
    end

    for _, kind in ipairs { "error", "bad", "raise" } do
        it("leave the child as a worker that is not active: " .. kind, function()
            local supervisor, source = stuck_supervisor(kind)
            local counted = functions.count_children(supervisor)
            assert.same({ specs = 1, active = 0, workers = 1, supervisors = 0 }, counted)
            assert.equal("restarting", functions.which_children(supervisor)[1].state)
            assert.same({ 1 }, source:call "demands")
        end)
    end

    it("hold the slot until the child is terminated, by its last handle", function()
        local supervisor, source, child = stuck_supervisor "error"
        source:call { emit = { "next" } }
        assert.equal(1, functions.count_children(supervisor).workers)
        assert.is_true(functions.terminate_child(supervisor, child))
        assert.same({ "next" }, supervised.events(supervisor))
        local done, message = functions.terminate_child(supervisor, child)
        assert.is_nil(done)
        assert.equal("not_found", message)
    end)
end)

describe("max_restarts", function()
    it("3 within 5 seconds by default: the fourth ends the supervisor and its children", function()
        local supervisor, source = subscribed { restart = "transient" }
        emit(source, "a", "b")
        local b = children(supervisor)[2]
        for _ = 1, 3 do
            crash(supervisor)
            assert.equal("2, 2", count(supervisor))
        end
        children(supervisor)[1]:cast "boom"
        assert.equal("shutdown", supervisor:join())
        assert.equal("shutdown", b:join())
    end)

    it("1: the second", function()
        local supervisor = supervised.supervisor { restart = "transient", max_restarts = 1 }
        assert(functions.start_child(supervisor, "a"))
        crash(supervisor)
        children(supervisor)[1]:cast "boom"
        assert.equal("shutdown", supervisor:join())
    end)

    it("0: the first", function()
        local supervisor = supervised.supervisor { restart = "transient", max_restarts = 0 }
        assert(functions.start_child(supervisor, "a")):cast "boom"
        assert.equal("shutdown", supervisor:join())
    end)

    it("is reached by restarts that fail", function()
        local supervisor = supervised.supervisor { restart = "transient", max_restarts = 10 }
        assert(functions.start_child(supervisor, { fails = "error", fails_from = 2 })):cast "boom"
        assert.equal("shutdown", supervisor:join())
    end)

    it("within 0 seconds is reached by restarts that go on and on", function()
        local supervisor = supervised.supervisor { restart = "transient", max_seconds = 0 }
        assert(functions.start_child(supervisor, { fails = "error", fails_from = 2 })):cast "boom"
        assert.equal("shutdown", supervisor:join())
    end)
end)
