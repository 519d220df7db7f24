-- SPDX-License-Identifier: MIT

--- consumer_supervisor: how children end, one by one and all together.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"
local supervised = require "spec.support.supervised"

local functions = stagehost.consumer_supervisor
local children, count, emit = supervised.children, supervised.count, supervised.emit

after_each(stages.stop_all)

--- A supervisor with one child for each event.
local function with_children(options, ...)
    local supervisor = supervised.supervisor(options)
    local list = {}
    for i, event in ipairs { ... } do
        list[i] = assert(functions.start_child(supervisor, event))
    end
    return supervisor, list
end

local function reasons_after_stop(options, ...)
    local supervisor, list = with_children(options, ...)
    assert.is_true(supervisor:stop())
    local reasons = {}
    for i, child in ipairs(list) do
        assert.is_false(child:is_alive())
        reasons[i] = child:join()
    end
    return reasons
end

local Trapping = supervised.TrappingChild

describe("a supervisor that ends", function()
    it("tells its children to shut down", function()
        assert.same({ "shutdown", "shutdown" }, reasons_after_stop({}, "a", "b"))
    end)

    it("brutal_kill: kills them", function()
        assert.same({ "killed", "killed" }, reasons_after_stop({ shutdown = "brutal_kill" }, "a", "b"))
        assert.same({ "killed" }, reasons_after_stop({ shutdown = "brutal_kill", child = Trapping }, "a"))
    end)

    for _, shutdown in ipairs { "infinity", 10000 } do
        it(shutdown .. ": waits for them, whatever their reason is", function()
            local options = { shutdown = shutdown, child = Trapping }
            assert.same({ "shutdown", { "shutdown", "oops" } },
                reasons_after_stop(options, "a", { ends_as = { "shutdown", "oops" } }))
        end)
    end

    it("a number of ms: kills who has not ended then, and no one else", function()
        local options = { shutdown = 200, child = Trapping }
        assert.same({ "shutdown", "killed", "shutdown" }, reasons_after_stop(options, "a", { stubborn = true }, "b"))
    end)

    it("gives a child that works the time to come to its end", function()
        local finished = false
        local supervisor, list = with_children({
            child = stagehost.process {
                handle_exit = function(_, _, reason)
                    stagehost.sleep(10)
                    finished = true
                    return stagehost.stop(reason)
                end,
            },
        }, "a")
        supervisor:stop()
        assert.is_true(finished)
        assert.equal("shutdown", list[1]:join())
    end)

    it("by the exit of who it is linked with takes its children along", function()
        local supervisor, list = with_children({}, "a")
        supervisor:exit("boom")
        assert.equal("boom", supervisor:join())
        assert.equal("shutdown", list[1]:join())
    end)

    it("by a kill takes its children along", function()
        local supervisor, list = with_children({}, "a")
        supervisor:kill()
        assert.equal("killed", supervisor:join())
        assert.equal("killed", list[1]:join())
    end)

    it("answers who waits for the end of a child", function()
        local supervisor = with_children({ child = Trapping, shutdown = 5 }, { stubborn = true })
        local child = children(supervisor)[1]
        local answer
        local waiting = stages.start(stagehost.process {
            handle_info = function() answer = functions.terminate_child(supervisor, child) end,
        })
        waiting:send "go"
        supervised.settle()
        supervisor:stop()
        supervised.settle()
        assert.is_true(answer)
    end)
end)

describe("terminate_child", function()
    it("ends a child, once", function()
        local supervisor, list = with_children({}, "a", "b")
        assert.is_true(functions.terminate_child(supervisor, list[1]))
        assert.equal("shutdown", list[1]:join())
        local done, message, reason = functions.terminate_child(supervisor, list[1])
        assert.is_nil(done)
        assert.equal("not_found", message)
        assert.equal("not_found", reason)
        assert.equal("1, 1", count(supervisor))
    end)

    it("does not start it list", function()
        local supervisor, list = with_children({ restart = "transient", shutdown = "brutal_kill" }, "a")
        assert.is_true(functions.terminate_child(supervisor, list[1]))
        assert.equal("killed", list[1]:join())
        assert.equal("0, 0", count(supervisor))
    end)

    it("kills a stubborn one in the end; the supervisor goes on meanwhile", function()
        local supervisor, list = with_children({ child = Trapping, shutdown = 200 }, { stubborn = true })
        local started
        local other = stages.start(stagehost.process {
            handle_info = function() started = functions.start_child(supervisor, "meanwhile") end,
        })
        other:send "go"
        assert.is_true(functions.terminate_child(supervisor, list[1]))
        assert.equal("killed", list[1]:join())
        assert.is_true(started:is_alive())
    end)

    it("frees the slot of an event", function()
        local source = supervised.source()
        local supervisor = supervised.supervisor {
            subscribe_to = { { to = source, max_demand = 2, min_demand = 0 } },
        }
        emit(source, "a", "b", "c")
        functions.terminate_child(supervisor, children(supervisor)[1])
        assert.same({ "b", "c" }, supervised.events(supervisor))
    end)

    it("wants a child", function()
        local supervisor = with_children({})
        assert.has_error(function() functions.terminate_child(supervisor, nil) end)
        assert.equal("not_found", select(3, functions.terminate_child(supervisor, supervisor)))
    end)
end)

describe("the end of a producer", function()
    local function subscribed(options, cancel)
        local source = supervised.source()
        options.subscribe_to = { { to = source, cancel = cancel } }
        return supervised.supervisor(options), source
    end

    it("permanent: ends the supervisor and its children", function()
        local supervisor, source = subscribed {}
        emit(source, "a")
        local child = children(supervisor)[1]
        source:stop()
        assert.equal("normal", supervisor:join())
        assert.equal("shutdown", child:join())
    end)

    it("temporary: children go on", function()
        local supervisor, source = subscribed({}, "temporary")
        emit(source, "a", "b")
        source:stop("shutdown")
        assert.same({ "a", "b" }, supervised.events(supervisor))
    end)

    it("lets functions finish, with their restarts, and then ends the supervisor", function()
        local seen, runs = {}, 0
        local supervisor, source = subscribed {
            restart = "transient",
            child = function(event)
                stagehost.sleep(5)
                runs = runs + 1
                if event == "crashes" and runs < 3 then
                    error("boom")
                end
                seen[event] = true
            end,
        }
        emit(source, "a", "crashes")
        source:stop()
        assert.equal("normal", supervisor:join())
        assert.same({ a = true, crashes = true }, seen)
    end)

    it("does not wait for functions that are restarted too often", function()
        local supervisor, source = subscribed {
            restart = "transient",
            child = function(event)
                stagehost.sleep(event == "crashes" and 1 or 60000)
                error("boom")
            end,
        }
        emit(source, "crashes", "sleeps")
        local sleeping = children(supervisor)[2]
        source:stop()
        assert.equal("normal", supervisor:join())
        assert.equal("shutdown", sleeping:join())
    end)

    it("at_end says otherwise", function()
        local supervisor, source = subscribed {
            at_end = "shutdown",
            child = function() stagehost.sleep(60000) end,
        }
        emit(source, "a")
        local child = children(supervisor)[1]
        source:stop()
        assert.equal("normal", supervisor:join())
        assert.equal("shutdown", child:join())

        supervisor, source = subscribed { at_end = "finish" }
        emit(source, "a")
        child = children(supervisor)[1]
        source:stop()
        child:cast "normal"
        assert.equal("normal", supervisor:join())
        assert.equal("normal", child:join())
    end)

    it("is not what a stop by hand is taken for", function()
        local supervisor, source = subscribed({ child = function() stagehost.sleep(60000) end }, "temporary")
        emit(source, "a")
        local child = children(supervisor)[1]
        supervisor:stop()
        assert.equal("shutdown", child:join())
    end)

    it("unknown or dead: as of any consumer", function()
        local supervisor = supervised.supervisor {}
        supervisor:subscribe { to = "nobody", cancel = "temporary" }
        local dead = supervised.source()
        dead:stop()
        supervisor:subscribe { to = dead, cancel = "temporary" }
        assert.equal("0, 0", count(supervisor))
        supervisor:subscribe { to = "nobody" }
        assert.equal("noproc", supervisor:join())
        supervisor = supervised.supervisor {}
        supervisor:subscribe { to = dead }
        assert.equal("noproc", supervisor:join())
    end)

    it("refuses options as any consumer does", function()
        local supervisor, source = supervised.supervisor {}, supervised.source()
        assert.has_error(function() supervisor:subscribe { to = source, max_demand = 0 } end)
        assert.has_error(function() supervisor:subscribe { to = source, min_demand = 2000 } end)
        assert.is_truthy(supervisor:subscribe { to = source })
    end)
end)
