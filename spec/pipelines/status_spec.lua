-- SPDX-License-Identifier: MIT

--- What stages and pipelines tell about themselves.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

describe("the counters of a stage", function()
    it("tell how long it waits for events after it has asked", function()
        local Slow = stagehost.producer {
            handle_demand = function(self)
                self.n = (self.n or 0) + 1
                stagehost.sleep(20)
                return self.n < 5 and { self.n } or stagehost.stop("normal", { self.n })
            end,
        }
        local source = start(Slow, { demand = "accumulate" })
        local sink = start(stagehost.sink.each(function() end), {
            subscribe_to = { source, max_demand = 1, cancel = "temporary" },
        })
        source:demand "forward"
        source:join()
        local stats = sink:stats()
        assert.equal(5, stats.asks_answered)
        assert.is_true(stats.ask_ns >= 4 * 15e6, tostring(stats.ask_ns))
        assert.is_true(stats.ask_ns <= 5 * stats.uptime_ns)
    end)

    it("count no ask that nothing has followed", function()
        local source = start(stagehost.producer { handle_demand = function() end })
        local stats = start(stagehost.sink.print(), { subscribe_to = source }):stats()
        assert.equal(1, stats.asks_out)
        assert.equal(0, stats.asks_answered)
        assert.equal(0, stats.ask_ns)
    end)

    it("tell its dispatcher and how long it runs", function()
        local source = start(stagehost.source.list { 1 }, { dispatcher = "fair", rate = { events = 1, per_ms = 1 } })
        local first = source:stats()
        stagehost.sleep(5)
        local second = source:stats()
        assert.equal("fair", first.dispatcher)
        assert.is_true(second.uptime_ns - first.uptime_ns >= 4e6)
        assert.is_nil(start(stagehost.sink.print()):stats().dispatcher)
    end)
end)

describe("the status of a pipeline", function()
    it("has times of start, peers and dispatchers", function()
        local before = os.time()
        local running = assert(stagehost.pipeline({
            stages = {
                { name = "source", stage = stagehost.producer { handle_demand = function() end },
                    dispatcher = "broadcast" },
                { name = "sink", stage = stagehost.sink.print(), instances = 2, subscribe_to = "source" },
            },
        }):start())
        local by_name = {}
        for _, one in ipairs(running:status().stages) do
            by_name[one.name] = one
            assert.is_true(one.start_time >= before and one.start_time <= os.time())
        end
        running:stop()
        assert.same({ "sink.1", "sink.2" }, by_name.source.consumers)
        assert.same({}, by_name.source.producers)
        assert.equal("broadcast", by_name.source.dispatcher)
        assert.same({ "source" }, by_name["sink.2"].producers)
        assert.is_nil(by_name["sink.2"].dispatcher)
    end)

    it("has the workers: a stage runs beside its producers, instances apart", function()
        local own = stagehost.worker()
        local far = (own + 1) % stagehost.workers()
        local Source = stagehost.producer { handle_demand = function() end }
        local Pass = stagehost.producer_consumer { handle_events = function(_, events) return events end }
        local running = assert(stagehost.pipeline({
            stages = {
                { name = "source", stage = Source },
                { name = "near", stage = Pass, subscribe_to = "source" },
                { name = "far", stage = Pass, worker = far, subscribe_to = "near" },
                { name = "after", stage = Pass, subscribe_to = "far" },
                { name = "many", stage = stagehost.sink.print(), instances = 2, subscribe_to = "after" },
            },
        }):start())
        local workers = {}
        for _, one in ipairs(running:status().stages) do
            workers[one.name] = one.worker
        end
        running:stop()
        assert.same({ own, own, far, far }, { workers.source, workers.near, workers.far, workers.after })
        assert.not_equal(workers["many.1"], workers["many.2"])
    end)

    it("has what crossed between workers, by subscription", function()
        local Source = stagehost.producer {
            handle_demand = function(self)
                if not self.has_emitted then
                    self.has_emitted = true
                    return { "a", "b", "c" }
                end
            end,
        }
        local sink = stagehost.sink.each(function() end)
        local running = assert(stagehost.pipeline({
            name = "crossing",
            stages = {
                { name = "source", stage = Source, dispatcher = "broadcast" },
                { name = "near", stage = sink, worker = 0, subscribe_to = "source" },
                { name = "far", stage = sink, worker = 1, subscribe_to = "source" },
            },
        }):start())
        local crossings
        repeat
            stagehost.sleep(1)
            crossings = running:status().crossings
        until crossings[1] and crossings[1].decode_ns > 0
        running:stop()
        local one = crossings[1]
        assert.equal(1, #crossings)
        assert.equal("source", one.producer)
        assert.equal("far", one.consumer)
        assert.equal(3, one.events)
        assert.is_true(one.bytes > 3)
    end)
end)
