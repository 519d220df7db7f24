-- SPDX-License-Identifier: MIT

--- consumer_supervisor among other stages: under a supervisor, over supervisors, linked, on another worker.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"
local supervised = require "spec.support.supervised"

local functions = stagehost.consumer_supervisor

after_each(stages.stop_all)

describe("a consumer_supervisor under a supervisor", function()
    local function start_tree(options)
        options.child = options.child or supervised.Child
        return stages.start(stagehost.supervisor {
            children = { { id = "pool", start = functions(options) } },
        })
    end

    local function pool_of(tree)
        return stagehost.supervisor.which_children(tree)[1].stage
    end

    it("is one of its supervisors", function()
        local tree = start_tree {}
        assert.same({ specs = 1, active = 1, workers = 0, supervisors = 1 }, stagehost.supervisor.count_children(tree))
    end)

    it("is started again when it gives up", function()
        local tree = start_tree { restart = "transient", max_restarts = 0 }
        local first = pool_of(tree)
        assert(functions.start_child(first, "a")):cast "boom"
        assert.equal("shutdown", first:join())
        supervised.settle()
        local second = pool_of(tree)
        assert.not_equal(first, second)
        assert.equal("0, 0", supervised.count(second))
    end)

    it("ends with it, and its children with it", function()
        local tree = start_tree {}
        local pool = pool_of(tree)
        local child = assert(functions.start_child(pool, "a"))
        tree:stop()
        assert.equal("shutdown", pool:join())
        assert.equal("shutdown", child:join())
    end)
end)

describe("a consumer_supervisor of supervisors", function()
    it("has one for each event", function()
        local supervisor = supervised.supervisor {
            child = functions { child = supervised.Child },
            shutdown = "infinity",
        }
        local inner = assert(functions.start_child(supervisor, "group"))
        local child = assert(functions.start_child(inner, "member"))
        assert.same({ specs = 1, active = 1, workers = 0, supervisors = 1 }, functions.count_children(supervisor))
        supervisor:stop()
        assert.equal("shutdown", inner:join())
        assert.equal("shutdown", child:join())
    end)
end)

describe("a consumer_supervisor that is linked", function()
    it("ends with whom it is linked with, if that crashes", function()
        local supervisor
        local starter = stages.start(stagehost.process {
            handle_call = function()
                supervisor = assert(stagehost.start(functions { child = supervised.Child }, { link = true }))
                return true
            end,
            handle_cast = function(_, reason) return stagehost.stop(reason) end,
        })
        starter:call "start"
        local child = assert(functions.start_child(supervisor, "a"))
        starter:cast "boom"
        assert.equal("boom", supervisor:join())
        assert.equal("shutdown", child:join())
    end)

    it("does not end with a child that crashes", function()
        local supervisor = supervised.supervisor {}
        supervised.finish(assert(functions.start_child(supervisor, "a")), "boom")
        assert.is_true(supervisor:is_alive())
    end)
end)

describe("a consumer_supervisor on another worker", function()
    it("has its children there, or where its template says", function()
        local last = stagehost.workers() - 1
        local Where = stagehost.process {
            handle_call = function() return stagehost.worker() end,
        }
        local there = supervised.supervisor { child = Where, worker = last, name = "there" }
        assert.equal(last, assert(functions.start_child(there, "a")):call "where")
        local back = supervised.supervisor { child = Where, worker = last, options = { worker = 0 } }
        local child = assert(functions.start_child("there", "b"))
        assert.equal(last, child:call "where")
        child = assert(functions.start_child(back, "c"))
        assert.equal(0, child:call "where")
        assert.is_true(functions.terminate_child(back, child))
        assert.equal("not_found", select(2, functions.terminate_child(back, child)))
    end)

    it("an event that can't cross fails the start of its child, not the supervisor", function()
        local last = stagehost.workers() - 1
        local supervisor = supervised.supervisor { options = { worker = last } }
        local child = functions.start_child(supervisor, coroutine.create(function() end))
        assert.equal(last == 0, child ~= nil)
        assert.is_true(supervisor:is_alive())
    end)
end)
