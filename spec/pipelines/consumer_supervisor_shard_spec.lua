-- SPDX-License-Identifier: MIT

--- One shard of a consumer_supervisor: addressed, restarted alone, with a partition of its own.
local await = require("spec.support.crashing").await
local stages = require "spec.support.stages"
local stagehost = require "stagehost"
local supervised = require "spec.support.supervised"

local functions = stagehost.consumer_supervisor
local numbers = stages.numbers

after_each(stages.stop_all)

local Source = stagehost.producer {
    handle_demand = function() end,
    handle_call = function(_, request)
        if request == "consumers" then
            return stagehost.self():stats().consumers
        end
        return true, request
    end,
}

local function start_ear()
    return stages.start(stagehost.process {
        init = function(self) self.heard = {} end,
        handle_cast = function(self, message) table.insert(self.heard, message) end,
        handle_call = function(self) return self.heard end,
    })
end

local function heard(ear, n)
    await(function() return #ear:call() >= n end)
    local list = ear:call()
    table.sort(list)
    return list
end

local function has_consumers(source, n)
    await(function() return source:call "consumers" == n end)
end

local function shards_of(supervisor)
    return assert(functions.which_shards(supervisor))
end

describe("which_shards", function()
    it("has a handle and the status of each", function()
        local supervisor = supervised.supervisor { shards = "workers", max_children = 8 }
        local list = shards_of(supervisor)
        assert.equal(stagehost.workers(), #list)
        local seen = {}
        for _, shard in ipairs(list) do
            assert.same({ "running", 0, 0 }, { shard.state, shard.active, shard.restarts })
            assert.is_nil(seen[shard.worker])
            seen[shard.worker] = true
        end
        assert(functions.start_child(list[1].stage, "addressed"))
        assert.equal(1, functions.count_children(list[1].stage).active)
        assert.equal(1, shards_of(supervisor)[1].active)
        assert.equal(1, functions.count_children(supervisor).active)
    end)

    it("is for supervisors with shards", function()
        local supervisor = supervised.supervisor {}
        assert.equal("no_shards", select(3, functions.which_shards(supervisor)))
        assert.equal("no_shards", select(3, functions.restart_shard(supervisor, 1)))
        local sharded = supervised.supervisor { shards = 2 }
        assert.equal("there is no shard 3 of 2", select(2, functions.restart_shard(sharded, 3)))
        assert.error_matches(function() functions.restart_shard(sharded, "first") end, "the number of a shard must be")
        assert.error_matches(function() functions { child = function() end, shards = "all" } end,
            'option "shards" must be an integer, or "workers", got "all"')
    end)
end)

describe("a shard", function()
    it("is restarted alone: the others, their children and all subscriptions stay", function()
        local source = stages.start(Source)
        local supervisor = supervised.supervisor { shards = 2, subscribe_to = { { to = source, max_demand = 4 } } }
        has_consumers(source, 2)
        local before = shards_of(supervisor)
        local kept, ended = assert(functions.start_child(before[2].stage, "kept")),
            assert(functions.start_child(before[1].stage, "ended"))
        local shard = assert(functions.restart_shard(supervisor, 1))
        local after = shards_of(supervisor)
        assert.equal(shard, after[1].stage)
        assert.are_not.equal(before[1].stage, shard)
        assert.same({ 1, before[1].worker }, { after[1].restarts, after[1].worker })
        assert.equal("shutdown", ended:join())
        assert.equal(before[2].stage, after[2].stage)
        assert.is_true(kept:is_alive())
        has_consumers(source, 2)
        assert(source:call(numbers(1, 8)))
        await(function() return functions.count_children(supervisor).active == 9 end)
        assert.is_true(supervisor:is_alive())
    end)

    it("loses nothing that it was sent when functions are its children", function()
        local ear, source = start_ear(), stages.start(Source)
        local supervisor = supervised.supervisor {
            child = function(event)
                stagehost.sleep(1)
                ear:cast(event)
            end,
            shards = 2,
            subscribe_to = { { to = source, max_demand = 10 } },
        }
        has_consumers(source, 2)
        for i = 0, 9 do
            assert(source:call(numbers(10 * i + 1, 10 * i + 10)))
            assert(functions.restart_shard(supervisor, i % 2 + 1))
        end
        assert.same(numbers(1, 100), heard(ear, 100))
        assert.same({ 5, 5 }, { shards_of(supervisor)[1].restarts, shards_of(supervisor)[2].restarts })
    end)

    it("that is killed is started again, subscribed as it was; not for ever", function()
        local ear, source = start_ear(), stages.start(Source)
        local supervisor = supervised.supervisor {
            child = function(event) ear:cast(event) end,
            shards = 2,
            subscribe_to = { source },
        }
        has_consumers(source, 2)
        for i = 1, 3 do
            local shard = shards_of(supervisor)[1].stage
            shard:kill()
            await(function() return shards_of(supervisor)[1].restarts == i end)
            has_consumers(source, 2)
        end
        assert(source:call(numbers(1, 50)))
        assert.same(numbers(1, 50), heard(ear, 50))
        shards_of(supervisor)[1].stage:kill()
        assert.equal("killed", supervisor:join())
    end)

    it("is restarted also when its producers have ended without it", function()
        local source, ear = stages.start(Source), start_ear()
        local supervisor = supervised.supervisor {
            child = function(event) ear:cast(event) end,
            shards = 2,
            subscribe_to = { { to = source, cancel = "temporary" } },
        }
        has_consumers(source, 2)
        stages.stop(source)
        assert(functions.restart_shard(supervisor, 1))
        assert(functions.restart_shard(supervisor, 1))
        local later = stages.start(Source)
        assert(supervisor:subscribe { to = later, cancel = "temporary" })
        has_consumers(later, 2)
        assert(later:call(numbers(1, 4)))
        assert.same(numbers(1, 4), heard(ear, 4))
    end)
end)

describe("shards with partitions", function()
    local function start_source(names)
        return stages.start(Source, { dispatcher = { "partition", partitions = names, hash = function(event)
            return event % 2 == 0 and "even" or "odd"
        end } })
    end

    local function start_sorting(options)
        local ears = { start_ear(), start_ear() }
        options.child = function(event)
            local shard = event % 2 == 0 and 1 or 2
            ears[shard]:cast({ event, stagehost.worker() })
        end
        options.shards = 2
        return supervised.supervisor(options), ears
    end

    it("take one each, of a list of names, and keep it when they are restarted", function()
        local source = start_source { "even", "odd" }
        local supervisor, ears = start_sorting { partitions = { "even", "odd" }, subscribe_to = { source } }
        has_consumers(source, 2)
        local function check(i)
            assert(source:call(numbers(10 * i + 1, 10 * i + 10)))
            for k, ear in ipairs(ears) do
                await(function() return #ear:call() == 5 * (i + 1) end)
                for _, entry in ipairs(ear:call()) do
                    assert.equal(k == 1, entry[1] % 2 == 0)
                    assert.equal(shards_of(supervisor)[k].worker, entry[2])
                end
            end
        end
        check(0)
        assert(functions.restart_shard(supervisor, 1))
        has_consumers(source, 2)
        check(1)
    end)

    it("take one each by number, also of a producer that the handle is subscribed to later", function()
        local supervisor = supervised.supervisor { shards = 2, partitions = true }
        local source = stages.start(Source, {
            dispatcher = { "partition", partitions = 2, hash = function(event) return event % 2 end },
        })
        assert(supervisor:subscribe { to = source, max_demand = 10 })
        has_consumers(source, 2)
        assert(source:call(numbers(1, 10)))
        await(function()
            local list = shards_of(supervisor)
            return list[1].active == 5 and list[2].active == 5
        end)
        for _, child in ipairs(supervised.children(shards_of(supervisor)[2].stage)) do
            assert.equal(1, child:call "event" % 2)
        end
    end)

    it("need shards, and as many names", function()
        local function child() end
        assert.error_matches(function() functions { child = child, partitions = true } end, "needs the option shards")
        assert.error_matches(function() functions { child = child, shards = 3, partitions = { "a", "b" } } end,
            "must name 3 partitions")
        assert.error_matches(function() functions { child = child, shards = 3, partitions = "a" } end,
            "must be true or a list")
    end)
end)
