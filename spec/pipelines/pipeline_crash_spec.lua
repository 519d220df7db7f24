-- SPDX-License-Identifier: MIT

--- Pipelines whose stages crash under load, on one worker and spread over two.
local crashing = require "spec.support.crashing"
local recording = require "spec.support.recording"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

after_each(stages.stop_all)

local LIMIT = 5000

for _, other in ipairs(crashing.workers()) do
    describe(("a pipeline with stages on workers %d and %d"):format(stagehost.worker(), other), function()
        local memory

        before_each(function()
            memory = stages.start(recording.Memory)
        end)

        local function start(options)
            local running = assert(stagehost.pipeline(options):start())
            return running
        end

        --- source -> middle -> sink, with a crash at an event in one of them.
        local function chain(crash, more)
            local given = { stages = {
                { name = "source", stage = recording.Source, worker = other,
                    args = { memory = memory, limit = LIMIT, crash_at = crash.source } },
                { name = "middle", stage = recording.Middle,
                    args = { memory = memory, crash_at = crash.middle },
                    subscribe_to = { { to = "source", max_demand = 20 } } },
                { name = "sink", stage = recording.Sink, worker = other,
                    args = { memory = memory, crash_at = crash.sink },
                    subscribe_to = { { to = "middle", max_demand = 10 } } },
            } }
            for key, value in pairs(more or {}) do
                given[key] = value
            end
            return given
        end

        it("without a crash: every event arrives once, in order, and it ends normally", function()
            local running = start(chain {})
            assert.equal("normal", select(2, running:join()))
            local seen = memory:call { get = "sink" }
            assert.equal(LIMIT, #seen)
            for i = 1, LIMIT do
                assert.equal(i, seen[i])
            end
        end)

        for who, most_lost in pairs { source = 20, middle = 40, sink = 20 } do
            it(("the %s crashes: it is restarted, the others live, only what it held is lost"):format(who), function()
                memory:call { crash = who, times = 1 }
                local running = start(chain { [who] = LIMIT / 2 })
                assert.equal("normal", select(2, running:join()))
                local missing, twice = recording.gaps(memory:call { get = "sink" }, LIMIT)
                assert.equal(0, twice)
                assert.is_true(missing > 0 and missing <= most_lost, missing .. " are missing")
            end)
        end

        it("the consumers of a crashed producer are the same as before", function()
            memory:call { crash = "middle", times = 1 }
            local given = chain { middle = LIMIT / 2 }
            given.stages[1].args.limit = LIMIT * 1000
            local running = start(given)
            local sink, middle = assert(running:stage "sink"), assert(running:stage "middle")
            crashing.await(function()
                local now = running:stage "middle"
                return now and now ~= middle
            end)
            local n = #memory:call { get = "sink" }
            crashing.await(function() return #memory:call { get = "sink" } > n + LIMIT / 10 end)
            assert.equal(sink, running:stage "sink")
            assert.is_true(sink:is_alive())
            running:stop()
            assert.is_false(sink:is_alive())
        end)

        it("every stage crashes, again and again: it ends all the same", function()
            for _, who in ipairs { "source", "middle", "sink" } do
                memory:call { crash = who, times = 1 }
            end
            local running = start(chain({ source = 1000, middle = 2000, sink = 3000 },
                { backoff = { delay = 1 }, max_restarts = 10 }))
            assert.equal("normal", select(2, running:join()))
            local missing, twice = recording.gaps(memory:call { get = "sink" }, LIMIT)
            assert.equal(0, twice)
            assert.is_true(missing <= 80)
        end)

        it("a consumer crashes at the last events, after its producer was told to end: it gets the rest", function()
            memory:call { crash = "sink", times = 1 }
            local Burst = stagehost.producer {
                handle_demand = function()
                    local all = {}
                    for i = 1, 1000 do
                        all[i] = i
                    end
                    return stagehost.stop("normal", all)
                end,
            }
            local running = start { backoff = { delay = 20 }, stages = {
                { name = "burst", stage = Burst, worker = other },
                { name = "sink", stage = recording.Sink, args = { memory = memory, crash_at = 15 },
                    subscribe_to = { { to = "burst", max_demand = 10 } } },
            } }
            assert.equal("normal", select(2, running:join()))
            local missing, twice = recording.gaps(memory:call { get = "sink" }, 1000)
            assert.equal(0, twice)
            assert.is_true(missing > 0 and missing <= 10, missing .. " are missing")
        end)

        it("with ack the sink crashes and nothing is lost", function()
            memory:call { crash = "sink", times = 3 }
            local given = chain { sink = LIMIT - 3 }
            given.stages[3].subscribe_to[1].ack = true
            assert.equal("normal", select(2, start(given):join()))
            assert.same({ 0, 0 }, { recording.gaps(memory:call { get = "sink" }, LIMIT) })
        end)

        it("dead letters go to a stage of the pipeline, which ends after those that write to it", function()
            local Letters = stagehost.dead_letters()
            local Note = stagehost.consumer {
                init = function(self, mem) self.memory = mem end,
                handle_events = function(self, letters)
                    for _, letter in ipairs(letters) do
                        self.memory:call { add = "letters", events = { letter.event } }
                    end
                end,
            }
            memory:call { crash = "sink", times = 1 }
            local given = chain { sink = LIMIT / 2 }
            given.name, given.stages[3].args.as = "dead", "sink"
            given.stages[3].on_error, given.stages[3].dead_letter = "dead_letter", "letters"
            given.stages[3].subscribe_to[1].max_demand = 2
            table.insert(given.stages, { name = "letters", stage = Letters })
            table.insert(given.stages, { name = "note", stage = Note, args = memory, subscribe_to = { "letters" } })
            local running = start(given)
            local sink = running:stage "sink"
            assert.equal("normal", select(2, running:join()))
            assert.equal("normal", sink:join())
            local missing = recording.gaps(memory:call { get = "sink" }, LIMIT)
            assert.is_true(missing > 0)
            assert.equal(missing, #memory:call { get = "letters" })
        end)

        it("too many restarts: it ends with the first crash of them", function()
            memory:call { crash = "middle", times = 100 }
            local Bad = stagehost.producer_consumer {
                init = function(self, mem) self.memory = mem end,
                handle_events = function(self)
                    error(("crash %d"):format(self.memory:call { next = "crash", n = 1 }), 0)
                end,
            }
            local running = start { max_restarts = 2, max_seconds = 3600, stages = {
                { name = "source", stage = recording.Source, worker = other,
                    args = { memory = memory, limit = LIMIT } },
                { name = "bad", stage = Bad, args = memory, subscribe_to = { { to = "source", max_demand = 1 } } },
                { name = "sink", stage = recording.Sink, args = { memory = memory }, subscribe_to = { "bad" } },
            } }
            local _, _, reason = running:join()
            assert.is_true(stagehost.is_error(reason))
            assert.matches("crash 0", tostring(reason))
            assert.is_nil(stagehost.whereis "source")
            assert.is_nil(stagehost.whereis "sink")
        end)

        it('on_error = "stop": the first crash ends it, with that reason', function()
            memory:call { crash = "middle", times = 1 }
            local given = chain { middle = 100 }
            given.stages[2].on_error = "stop"
            assert.matches("the middle crashed", (select(2, start(given):join())))
        end)

        it("a killed stage is a crashed stage", function()
            local given = chain {}
            given.stages[1].args.limit = LIMIT * 1000
            local running = start(given)
            for _, name in ipairs { "source", "middle", "sink" } do
                local old = running:stage(name)
                old:kill()
                crashing.await(function()
                    local now = running:stage(name)
                    return now and now ~= old
                end)
            end
            local n = #memory:call { get = "sink" }
            crashing.await(function() return #memory:call { get = "sink" } > n end)
            running:stop()
        end)

        it("instances crash under load, each by itself", function()
            local Flaky = stagehost.consumer {
                init = function(self, args) self.args = args end,
                handle_events = function(self, events)
                    if self.args:call { crashes = "flaky" } then
                        error("flaky")
                    end
                    self.args:call { add = "all", events = events }
                end,
            }
            memory:call { crash = "flaky", times = 20 }
            local running = start { max_restarts = 100, stages = {
                { name = "source", stage = recording.Source, worker = other,
                    args = { memory = memory, limit = LIMIT } },
                { name = "flaky", stage = Flaky, instances = 4, args = memory,
                    subscribe_to = { { to = "source", max_demand = 10 } } },
            } }
            assert.equal("normal", select(2, running:join()))
            local missing, twice = recording.gaps(memory:call { get = "all" }, LIMIT)
            assert.equal(0, twice)
            assert.is_true(missing > 0 and missing <= 20 * 10, missing .. " are missing")
        end)
    end)
end
