-- SPDX-License-Identifier: MIT

--- running:join(): the results of a pipeline's stages, or why there are none; and handle_end in a pipeline.
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
end
