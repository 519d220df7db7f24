-- SPDX-License-Identifier: MIT

--- consumer_supervisor with shards: several of them, on several workers, behind one handle.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"
local supervised = require "spec.support.supervised"

local functions = stagehost.consumer_supervisor

after_each(stages.stop_all)

local function numbers(n)
    local list = {}
    for i = 1, n do
        list[i] = i
    end
    return stagehost.source.list(list)
end

--- Gathers what it is told, and answers when it has got n of it.
local function start_ear(n)
    return stages.start(stagehost.process {
        init = function(self) self.heard = {} end,
        handle_cast = function(self, message)
            table.insert(self.heard, message)
            if #self.heard == n and self.asker then
                self.asker:reply(self.heard)
            end
        end,
        handle_call = function(self, _, from)
            if #self.heard >= n then
                return self.heard
            end
            self.asker = from
            return stagehost.noreply
        end,
    })
end

--- Answers nobody until calls from n workers have come.
local function start_gate(n)
    return stages.start(stagehost.process {
        init = function(self) self.workers, self.waiting = {}, {} end,
        handle_call = function(self, worker, from)
            if not self.workers[worker] then
                self.workers[worker] = true
                n = n - 1
            end
            if n > 0 then
                table.insert(self.waiting, from)
                return stagehost.noreply
            end
            for _, waiting in ipairs(self.waiting) do
                waiting:reply(true)
            end
            self.waiting = {}
            return true
        end,
    })
end

describe("shards", function()
    it("get each event once, and run on different workers", function()
        -- Children are let go when there is one on every worker: no shard can be too fast for the others.
        local ear, gate = start_ear(200), start_gate(math.min(4, stagehost.workers()))
        local source = stages.start(numbers(200), { demand = "accumulate" })
        local supervisor = supervised.supervisor {
            child = function(event)
                assert(gate:call(stagehost.worker(), math.huge))
                ear:cast(event)
            end,
            shards = 4,
            subscribe_to = { { to = source, max_demand = 5 } },
        }
        source:demand "forward"
        local seen = {}
        for _, event in ipairs(assert(ear:call("all", math.huge))) do
            assert.is_nil(seen[event])
            seen[event] = true
        end
        assert.equal(200, #seen)
        assert.equal("normal", supervisor:join())
    end)

    it("subscribe when the handle is subscribed", function()
        local ear = start_ear(10)
        local supervisor = supervised.supervisor {
            child = function(event) ear:cast(event) end,
            shards = 2,
        }
        assert(supervisor:subscribe { to = stages.start(numbers(10)), cancel = "temporary" })
        local heard = assert(ear:call("all", math.huge))
        table.sort(heard)
        assert.same({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }, heard)
        assert.is_true(supervisor:is_alive())
    end)

    it("come to a source that has hardly any events in time", function()
        for _ = 1, 10 do
            local supervisor = supervised.supervisor {
                child = function() end,
                shards = 4,
                subscribe_to = { stages.start(numbers(1)) },
            }
            assert.equal("normal", supervisor:join())
        end
    end)

    it("answer as one", function()
        local supervisor = supervised.supervisor {
            shards = 3,
            max_children = 4,
            name = function(event) return event.name end,
        }
        local list = {}
        for i = 1, 4 do
            list[i] = assert(functions.start_child(supervisor, { name = "shard child " .. i }))
        end
        local child, message = functions.start_child(supervisor, { name = "one too many" })
        assert.is_nil(child)
        assert.equal("overloaded", message)
        assert.same({ specs = 1, active = 4, workers = 4, supervisors = 0 }, functions.count_children(supervisor))
        assert.equal(4, #functions.which_children(supervisor))
        assert.equal(list[3], functions.lookup(supervisor, "shard child 3"))
        assert.is_nil((functions.lookup(supervisor, "shard child 5")))

        assert.is_true(functions.terminate_child(supervisor, list[3]))
        assert.is_true(functions.terminate_child(supervisor, "shard child 1"))
        assert.equal("not_found", select(2, functions.terminate_child(supervisor, list[3])))
        assert.equal(2, functions.count_children(supervisor).workers)
    end)

    it("answer others while a child takes its time to end", function()
        local supervisor = supervised.supervisor {
            shards = 2,
            child = supervised.TrappingChild,
            shutdown = 200,
        }
        local child = assert(functions.start_child(supervisor, { stubborn = true }))
        local order = {}
        local other = stages.start(stagehost.process {
            handle_info = function()
                functions.count_children(supervisor)
                table.insert(order, "counted")
            end,
        })
        other:send "go"
        functions.terminate_child(supervisor, child)
        table.insert(order, "terminated")
        assert.same({ "counted", "terminated" }, order)
    end)

    it("end with the handle, and their children with them", function()
        local supervisor = supervised.supervisor { shards = 2 }
        local a, b = assert(functions.start_child(supervisor, "a")), assert(functions.start_child(supervisor, "b"))
        supervisor:stop()
        assert.equal("shutdown", a:join())
        assert.equal("shutdown", b:join())
    end)

    it("one that gives up takes the others with it", function()
        local supervisor = supervised.supervisor { shards = 2, restart = "transient", max_restarts = 0 }
        local a, b = assert(functions.start_child(supervisor, "a")), assert(functions.start_child(supervisor, "b"))
        a:cast "boom"
        assert.equal("shutdown", supervisor:join())
        assert.equal("shutdown", b:join())
    end)
end)
