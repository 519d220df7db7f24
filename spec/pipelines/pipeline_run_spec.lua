-- SPDX-License-Identifier: MIT

--- Running pipelines: their start, their wiring, the handle, and how they end in order.
local crashing = require "spec.support.crashing"
local recording = require "spec.support.recording"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local await = crashing.await

after_each(stages.stop_all)

--- Emits 1 .. n at once, whatever is asked for.
local Burst = stagehost.producer {
    init = function(self, n) self.n = n end,
    handle_demand = function(self)
        local all = {}
        for i = 1, self.n do
            all[i] = i
        end
        self.n = 0
        return all
    end,
}

for _, other in ipairs(crashing.workers()) do
    describe(("a pipeline over workers %d and %d"):format(stagehost.worker(), other), function()
        local memory

        before_each(function()
            memory = stages.start(recording.Memory)
        end)

        local function source(limit, more)
            local entry = { name = "source", stage = recording.Source, args = { memory = memory, limit = limit } }
            for key, value in pairs(more or {}) do
                entry[key] = value
            end
            return entry
        end

        local function sink(name, subscribe_to, more)
            local entry = { name = name, stage = recording.Sink, args = { memory = memory }, worker = other,
                subscribe_to = subscribe_to }
            for key, value in pairs(more or {}) do
                entry[key] = value
            end
            return entry
        end

        local function start(given)
            local running = assert(stagehost.pipeline(given):start())
            return running
        end

        local function seen(name)
            return memory:call { get = name }
        end

        --- Waits until more has come than at the start.
        local function await_more(name)
            local n = #seen(name)
            await(function() return #seen(name) > n end)
        end

        it("a broadcast begins when all consumers have subscribed", function()
            start({ stages = {
                source(100, { dispatcher = "broadcast", worker = other }),
                sink("a", { "source" }, { worker = 0 }), sink("b", { "source" }), sink("c", { "source" }),
            } }):join()
            for _, name in ipairs { "a", "b", "c" } do
                assert.equal(100, #seen(name))
            end
        end)

        it("instance i takes partition i", function()
            local running = start { stages = {
                source(300, { dispatcher = { "partition", partitions = 3, hash = function(n) return n % 3 end } }),
                sink("part", { "source" }, { instances = 3 }),
            } }
            running:join()
            for i = 1, 3 do
                local list = seen("part." .. i)
                assert.equal(100, #list)
                assert.equal(i - 1, list[1] % 3)
            end
        end)

        it("a partition is taken again after its consumer has crashed", function()
            memory:call { crash = "sink", times = 1 }
            local entry = sink("part", { { to = "source", max_demand = 10 } }, { instances = 2 })
            entry.args.crash_at = 101
            local running = start { stages = {
                source(1000, { dispatcher = { "partition", partitions = 2, hash = function(n) return n % 2 end } }),
                entry,
            } }
            assert.equal("normal", select(2, running:join()))
            assert.equal(500, #seen "part.1")
            local lost = 500 - #seen "part.2"
            assert.is_true(lost > 0 and lost <= 20, lost .. " are lost")
        end)

        it("every consumer subscribes to every instance of its producer", function()
            local running = start { stages = {
                source(200), { name = "middle", stage = recording.Middle, instances = 3, subscribe_to = { "source" } },
                sink("sink", { "middle" }, { instances = 2, args = { memory = memory, as = "all" } }),
            } }
            local status = running:status()
            assert.same({ "source", "middle.1", "middle.2", "middle.3", "sink.1", "sink.2" },
                (function()
                    local names = {}
                    for i, one in ipairs(status.stages) do
                        names[i] = one.name
                    end
                    return names
                end)())
            running:join()
            local missing, twice = recording.gaps(seen "all", 200)
            assert.same({ 0, 0 }, { missing, twice })
        end)

        it("ends when all sources have ended, not with the first", function()
            memory:call { next = "source", n = 0 }
            local running = start { stages = {
                { name = "short", stage = stagehost.source.list { "x" } },
                source(5000),
                sink("sink", { "short", { to = "source", max_demand = 10 } }),
            } }
            assert.equal("normal", select(2, running:join()))
            assert.equal(5001, #seen "sink")
        end)

        it("ends when nobody takes its events any more", function()
            local Ten = stagehost.consumer {
                init = function(self) self.n = 0 end,
                handle_events = function(self, events)
                    self.n = self.n + #events
                    return self.n >= 10 and stagehost.stop() or nil
                end,
            }
            local running = start { stages = {
                source(math.huge),
                { name = "middle", stage = recording.Middle, subscribe_to = { "source" } },
                { name = "ten", stage = Ten, subscribe_to = { { to = "middle", max_demand = 5 } } },
            } }
            assert.equal("normal", select(2, running:join()))
        end)

        it("a cycle with a reason runs, and ends with its source", function()
            local Retry = stagehost.producer_consumer {
                handle_events = function(_, events)
                    local result = {}
                    for i, event in ipairs(events) do
                        result[i] = { n = event.n, tries = event.tries + 1 }
                    end
                    return result
                end,
                dispatcher = { "partition", partitions = { "good", "again" },
                    hash = function(event) return event.tries >= 3 and "good" or "again" end },
            }
            local Wait = stagehost.producer_consumer { handle_events = function(_, events) return events end }
            local Count = stagehost.consumer {
                init = function(self, mem) self.memory = mem end,
                handle_events = function(self, events) self.memory:call { add = "good", events = events } end,
            }
            local jobs = stagehost.source.queue { limit = 100 }
            local running = start { stages = {
                { name = "jobs", stage = jobs },
                { name = "try", stage = Retry,
                    subscribe_to = { "jobs", { to = "wait", reason = "what failed comes back" } } },
                { name = "wait", stage = Wait, subscribe_to = { { to = "try", partition = "again" } } },
                { name = "good", stage = Count, args = memory, subscribe_to = { { to = "try", partition = "good" } } },
            } }
            jobs.stage = assert(running:stage "jobs")
            for i = 1, 20 do
                jobs:push { n = i, tries = 0 }
            end
            await(function() return #seen "good" == 20 end)
            running:stop()
        end)

        it("a start that fails undoes what was started, and tells why", function()
            local Failing = stagehost.consumer {
                init = function() return stagehost.stop("no disk") end,
                handle_events = function() end,
            }
            local running, _, reason = stagehost.pipeline({ name = "undone", stages = {
                source(10), { name = "bad", stage = Failing, worker = other, subscribe_to = { "source" } },
            } }):start()
            assert.is_nil(running)
            assert.equal("no disk", reason)
            assert.is_nil(stagehost.whereis "undone.source")
            assert.is_nil(stagehost.whereis "undone")
        end)

        it("drain: ends the sources, waits until all is handled", function()
            local running = start { stages = { source(math.huge), sink("sink", { "source" }) } }
            await_more "sink"
            assert.is_true(running:drain())
            assert.is_false(running:is_alive())
            local list = seen "sink"
            assert.same({ 0, 0 }, { recording.gaps(list, #list) })
            assert.equal("normal", select(2, running:join()))
        end)

        it("drain: lets go what a source has accumulated", function()
            local running = start { stages = {
                { name = "jobs", stage = stagehost.source.queue(), demand = "accumulate" },
                sink("sink", { "jobs" }),
            } }
            local jobs = stagehost.source.queue(assert(running:stage "jobs"))
            for i = 1, 7 do
                jobs:push(i)
            end
            assert.is_true(running:drain(60000))
            assert.same({ 1, 2, 3, 4, 5, 6, 7 }, seen "sink")
        end)

        it("drain: counts what is left when the time is over", function()
            local Stuck = stagehost.consumer { handle_events = function() stagehost.sleep(3600000) end }
            local running = start { stages = {
                { name = "burst", stage = Burst, args = 9 },
                { name = "stuck", stage = Stuck, worker = other, subscribe_to = { { to = "burst", max_demand = 4 } } },
            } }
            await(function() return running:status().stages[2].stats.events_in > 0 end)
            local ok, message, left = running:drain(30)
            assert.is_nil(ok)
            assert.equal("drain timed out with 9 events unfinished", message)
            assert.equal(9, left.total)
            assert.same({ burst = 5, stuck = 4 }, left.stages)
            assert.same({ "shutdown", "drain_timeout" }, select(2, running:join()))
        end)

        it("drain: a consumer that crashes meanwhile is restarted", function()
            memory:call { crash = "sink", times = 1 }
            local entry = sink("sink", { { to = "burst", max_demand = 2 } })
            entry.args.crash_at = 50
            local running = start { backoff = { delay = 10 }, stages = {
                { name = "burst", stage = Burst, args = 100 }, entry,
            } }
            await_more "sink"
            assert.is_true(running:drain(60000))
            assert.is_true(#seen "sink" >= 98)
        end)

        it("stop: ends it at once; join tells the reason", function()
            local running = start { stages = { source(math.huge), sink("sink", { "source" }) } }
            await_more "sink"
            local one = running:stage "source"
            running:stop()
            assert.equal("shutdown", select(2, running:join()))
            assert.is_false(one:is_alive())
        end)

        it("stage: the one that runs now, or why there is none", function()
            local running = start { name = "named", stages = {
                source(math.huge), sink("sink", { "source" }, { instances = 2 }),
            } }
            assert.equal(stagehost.whereis "named.source", running:stage "source")
            assert.equal("named.sink.2", running:stage("sink.2").name)
            local stage, message, reason = running:stage "sink"
            assert.is_nil(stage)
            assert.matches('no stage "sink"', message)
            assert.equal("not_found", reason)
            assert.equal(stagehost.whereis("named"), running.process)
            running:stop()
            assert.equal("noproc", select(3, running:stage "source"))
        end)

        it("status: every stage with its state and its counters", function()
            local running = start { stages = { source(math.huge), sink("sink", { "source" }) } }
            await_more "sink"
            local old = running:stage "sink"
            old:kill()
            await(function()
                local now = running:stage "sink"
                return now and now ~= old
            end)
            await_more "sink"
            local status = running:status()
            assert.equal("running", status.state)
            local first, second = status.stages[1], status.stages[2]
            assert.same({ "source", "producer", "running", 0 }, { first.name, first.kind, first.state, first.restarts })
            assert.same({ "sink", "consumer", "running", 1, other },
                { second.name, second.kind, second.state, second.restarts, second.worker })
            assert.is_true(first.stats.events_out > 0)
            assert.is_true(second.stats.events_in > 0)
            running:stop()
        end)

        it("can be the child of a supervisor, on any worker", function()
            local sup = stages.start(stagehost.supervisor { children = {
                { id = "pipeline", restart = "transient", options = { worker = other },
                    start = stagehost.pipeline { stages = { source(100), sink("sink", { "source" }) } } },
            } })
            await(function() return #seen "sink" == 100 end)
            await(function() return stagehost.supervisor.count_children(sup).active == 0 end)
            assert.equal("supervisor", stagehost.supervisor.which_children(sup)[1].type)
        end)

        it("has the methods of the library, not copies of them, on any worker", function()
            local Judge = stagehost.process {
                init = function(self, args) self.given = args end,
                handle_call = function(self)
                    local pipeline, running = self.given.pipeline, self.given.running
                    return pipeline.start == stagehost.pipeline.methods.start
                        and running.join == getmetatable(stagehost.pipeline.of(stagehost.self())).join
                end,
            }
            local pipeline = stagehost.pipeline { stages = { source(1), sink("sink", { "source" }) } }
            local running = assert(pipeline:start())
            running:join()
            local judge = stages.start(Judge, { worker = other, args = { pipeline = pipeline, running = running } })
            assert.is_true(judge:call "judge")
        end)

        it("callbacks of a stage see subscriptions and ends as always", function()
            local Watching = stagehost.consumer {
                init = function(self, mem) self.memory = mem end,
                handle_subscribe = function(self, kind) self.memory:call { add = "log", events = { kind } } end,
                handle_cancel = function(self, reason) self.memory:call { add = "log", events = { reason } } end,
                handle_events = function() end,
            }
            start({ stages = {
                source(10), { name = "watching", stage = Watching, args = memory, worker = other,
                    subscribe_to = { "source" } },
            } }):join()
            assert.same({ "producer", "normal" }, seen "log")
        end)
    end)
end
