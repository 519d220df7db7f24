-- SPDX-License-Identifier: MIT

--- running:join(), and join() of the pipeline's process: the results of its stages, or why there are none; and
--- handle_end in a pipeline.
local crashing = require "spec.support.crashing"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

after_each(stages.stop_all)

local function numbers(n)
    local list = {}
    for i = 1, n do
        list[i] = i
    end
    return list
end

local Sum = stagehost.producer_consumer {
    init = function(self) self.sum = 0 end,
    handle_events = function(self, events)
        for _, n in ipairs(events) do
            self.sum = self.sum + n
        end
    end,
    handle_end = function(self) return { self.sum } end,
}

for _, other in ipairs(crashing.workers()) do
    describe(("running:join() with a collect sink on worker %d"):format(other), function()
        local function start(list, more)
            local given = { stages = list }
            for key, value in pairs(more or {}) do
                given[key] = value
            end
            return assert(stagehost.pipeline(given):start())
        end

        local function source(n)
            return { name = "numbers", stage = stagehost.source.list(numbers(n)) }
        end

        local function collect(name, from, more)
            local entry = { name = name, stage = stagehost.sink.collect(), subscribe_to = { from }, worker = other }
            for key, value in pairs(more or {}) do
                entry[key] = value
            end
            return entry
        end

        it("returns its events by its name, and the reason", function()
            local results, reason = start({ source(5), collect("out", "numbers") }):join()
            assert.same({ out = { 1, 2, 3, 4, 5 } }, results)
            assert.equal("normal", reason)
        end)

        it("does so after the end, and again", function()
            local running = start { source(3), collect("out", "numbers") }
            running.process:join()
            assert.same({ out = { 1, 2, 3 } }, (running:join()))
            assert.same({ out = { 1, 2, 3 } }, (running:join()))
        end)

        it("has one for each sink and each instance", function()
            local hash = function(n) return n % 2 end
            local results = start({
                { name = "numbers", stage = stagehost.source.list(numbers(4)),
                    dispatcher = { "partition", partitions = 2, hash = hash } },
                collect("out", "numbers", { instances = 2 }),
            }):join()
            assert.same({ ["out.1"] = { 2, 4 }, ["out.2"] = { 1, 3 } }, results)
        end)

        it("returns an empty table when no stage has a result", function()
            local none = stagehost.sink.each(function() end)
            local results = start({ source(3), { name = "none", stage = none, subscribe_to = { "numbers" } } }):join()
            assert.same({}, results)
        end)

        it("has what handle_end of the stages before has returned", function()
            local results = start({
                source(100),
                { name = "sum", stage = Sum, instances = 3, subscribe_to = { { to = "numbers", max_demand = 10 } } },
                { name = "total", stage = Sum, worker = other, subscribe_to = { "sum" } },
                collect("out", "total"),
            }):join()
            assert.same({ out = { 5050 } }, results)
        end)

        it("handle_end comes after a restart of a producer, once", function()
            local Fragile = stagehost.producer_consumer {
                handle_events = function(_, events)
                    if events[1] == 3 then
                        error("three")
                    end
                    return events
                end,
            }
            local running = start({
                source(10),
                { name = "fragile", stage = Fragile, subscribe_to = { { to = "numbers", max_demand = 1 } } },
                { name = "sum", stage = Sum, worker = other, subscribe_to = { "fragile" } },
                collect("out", "sum"),
            }, { backoff = { delay = 1 } })
            assert.same({ out = { 55 - 3 } }, (running:join()))
        end)

        it("returns nil, message and reason after a crash that was not mended", function()
            local Bad = stagehost.consumer { handle_events = function() error("no good", 0) end }
            local results, message, reason = start({
                { name = "numbers", stage = stagehost.source.list(numbers(3)), dispatcher = "broadcast" },
                collect("out", "numbers"),
                { name = "bad", stage = Bad, on_error = "stop", subscribe_to = { "numbers" } },
            }):join()
            assert.is_nil(results)
            assert.matches("no good", message)
            assert.is_true(stagehost.is_error(reason))
            assert.equal("handle_events", reason.callback)
        end)

        it("tells that it was killed", function()
            local running = start { { name = "endless", stage = stagehost.source.interval(1000) },
                collect("out", "endless") }
            running.process:kill()
            local results, message, reason = running:join()
            assert.is_nil(results)
            assert.same({ "killed", "killed" }, { message, reason })
            crashing.await(function() return not stagehost.whereis "out" and not stagehost.whereis "endless" end)
        end)

        it("works for other stages while it runs, and says so when that is too late", function()
            local waiting = source(3)
            waiting.demand = "accumulate"
            local running = start { waiting, collect("out", "numbers") }
            local function join(given)
                return given:join()
            end
            local early = assert(stagehost.task({ worker = other }, join, running))
            assert.is_nil(early:await(20)) -- it has asked, in all likelihood
            running:stage("numbers"):demand "forward"
            running:join()
            local late = assert(stagehost.task({ worker = other }, join, running))
            local results, _, reason = early:await()
            assert.is_true(results and #results.out == 3 or reason == "noproc")
            local none, message
            none, message, reason = late:await()
            assert.is_nil(none)
            assert.matches("had ended before", message)
            assert.equal("noproc", reason)
        end)
    end)

    describe(("join() of a pipeline's process with a collect sink on worker %d"):format(other), function()
        local supervisor = stagehost.supervisor

        local function plan(entries)
            return stagehost.pipeline { stages = entries }
        end

        local function collecting(source)
            return plan {
                { name = "numbers", stage = source or stagehost.source.list { 1, 2, 3 } },
                { name = "out", stage = stagehost.sink.collect(), subscribe_to = { "numbers" }, worker = other },
            }
        end

        local function failing()
            local Bad = stagehost.consumer { handle_events = function() error("no good", 0) end }
            return plan {
                { name = "numbers", stage = stagehost.source.list { 1, 2, 3 } },
                { name = "bad", stage = Bad, worker = other, on_error = "stop", subscribe_to = { "numbers" } },
            }
        end

        it("returns what running:join() returns", function()
            local running = assert(collecting():start())
            assert.same({ { out = { 1, 2, 3 } }, "normal" }, { running.process:join() })
            assert.same({ { out = { 1, 2, 3 } }, "normal" }, { running.process:join() })
            assert.same({ { out = { 1, 2, 3 } }, "normal" }, { running:join() })
        end)

        it("does so for a process that stagehost.start has started on any worker, long after its end", function()
            for _, place in ipairs { 0, other } do
                local process = assert(stagehost.start(collecting(), { worker = place }))
                crashing.await(function() return not process:is_alive() end)
                assert.same({ { out = { 1, 2, 3 } }, "normal" }, { process:join() })
            end
        end)

        it("returns nil, message and reason after a crash that was not mended", function()
            local process = assert(stagehost.start(failing()))
            local results, message, reason = process:join()
            assert.is_nil(results)
            assert.matches("no good", message)
            assert.equal("handle_events", reason.callback)
            assert.same({ results, message, reason }, { process:join() })
        end)

        it("tells that it was killed", function()
            local process = assert(stagehost.start(collecting(stagehost.source.interval(1000))))
            process:kill()
            local results, message, reason = process:join()
            assert.is_nil(results)
            assert.same({ "killed", "killed" }, { message, reason })
            crashing.await(function() return not stagehost.whereis "out" and not stagehost.whereis "numbers" end)
        end)

        it("works for a pipeline that a supervisor runs, and the supervisor gets the reason", function()
            local waiting = stagehost.source.list { 1, 2, 3 }
            waiting.demand = "accumulate"
            local sup = assert(stagehost.start(supervisor {
                children = { { id = "sums", start = collecting(waiting), restart = "transient" } },
            }))
            local process = assert(supervisor.which_children(sup))[1].stage
            local joins = assert(stagehost.task({ worker = other }, function(given) return given:join() end, process))
            assert.is_nil(joins:await(20)) -- it has asked, in all likelihood
            stagehost.pipeline.of(process):stage("numbers"):demand "forward"
            local results, _, reason = joins:await()
            assert.is_true(results and #results.out == 3 or reason == "noproc")
            sup:stop()
        end)

        it("says when it is too late for a stage that has not started it", function()
            local process = assert(collecting():start()).process
            process:join()
            local late = assert(stagehost.task({ worker = other }, function(given) return given:join() end, process))
            local none, message, reason = late:await()
            assert.is_nil(none)
            assert.matches("had ended before", message)
            assert.equal("noproc", reason)
        end)

        it("is refused to the process itself", function()
            local Own = stagehost.process {
                handle_call = function(_, stage) return select(2, pcall(stage.join, stage)) end,
            }
            local own = assert(stagehost.start(Own, { worker = other }))
            assert.matches("can't wait for itself", tostring(own:call(own)))
            own:stop()
        end)
    end)
end
