-- SPDX-License-Identifier: MIT

--- Pipelines as they are written: what is wrong with them, and how they print. Nothing is started.
local definition = require "stagehost.options.definition"
local plan = require "stagehost.pipeline.plan"
local text = require "stagehost.pipeline.text"

local function nothing() end

local Source = definition.new("producer", { handle_demand = nothing })
local Middle = definition.new("producer_consumer", { handle_events = nothing })
local Sink = definition.new("consumer", { handle_events = nothing })
local Process = definition.new("process", {})

local function problems_of(given)
    local ok, err = pcall(plan.new, given, 2)
    assert.is_false(ok)
    assert.equal("invalid_pipeline", err.name)
    return err.message
end

--- Problems of a pipeline of these stages beside a good source.
local function with_source(...)
    return { stages = { { name = "source", stage = Source }, ... } }
end

local function partitioned(partitions, ...)
    local dispatcher = { "partition", partitions = partitions }
    if type(partitions) == "table" then
        dispatcher.hash = nothing
    end
    return { stages = { { name = "source", stage = Source, dispatcher = dispatcher }, ... } }
end

describe("a pipeline", function()
    it("is put in order, producers first", function()
        local made = plan.new({ stages = {
            { name = "c", stage = Sink, subscribe_to = { "b", "a" } },
            { name = "b", stage = Middle, subscribe_to = { "a" } },
            { name = "x", stage = Process },
            { name = "a", stage = Source },
        } }, 1)
        local names = {}
        for i, stage in ipairs(made.stages) do
            names[i] = stage.name
        end
        assert.same({ "a", "b", "c", "x" }, names)
    end)

    it("tells all that is wrong with it in one message", function()
        local message = problems_of {
            name = "bad", max_restarts = -1, stages = {
                { name = "a", stage = Sink, instances = 0, foo = 1, subscribe_to = { "b", "c" } },
                { name = "b", stage = Sink },
                { name = "b", stage = Source },
                { name = "d", stage = Source, worker = 7, subscribe_to = { "a" } },
                { name = "e", stage = {} },
                { stage = Source },
                5,
            },
        }
        assert.matches('pipeline "bad" has 12 problems:', message)
        for _, expected in ipairs {
            'option "max_restarts" must be at least 0, got %-1',
            'stage "a": option "instances" must be at least 1, got 0',
            'stage "a": unknown option "foo" of a consumer %(known: ',
            'stage "a" subscribes to "b", which is a consumer: it emits no events',
            'stage "a" subscribes to "c": the pipeline has no such stage %(it has "a", "b", "d", "e"%)',
            'stage "b" is a consumer without producers',
            'stage "b": the name appears twice',
            'stage "d": option "worker" must be at most 1 or "any", got 7',
            'stage "d" is a producer: it can\'t subscribe to others',
            'stage "e": expected a definition made by',
            "stages%[6%]: the name must be a string, got nil",
            "stages%[7%] must be a table .*, got 5",
        } do
            assert.matches("\n  %- [^\n]*" .. expected, message)
        end
    end)

    it("needs stages", function()
        assert.matches('option "stages" must be a list of at least one stage', problems_of {})
        assert.matches('option "stages" must be a list of at least one stage', problems_of { stages = {} })
        assert.matches('unknown option "stagse" of a pipeline', problems_of { stagse = {} })
        assert.matches("expected a table", problems_of "x")
    end)

    it("has no subscription to a stage without events, to the stage itself, or to nothing", function()
        assert.matches('subscribes to "p", which is a process', problems_of(with_source(
            { name = "p", stage = Process }, { name = "s", stage = Sink, subscribe_to = { "p" } })))
        assert.matches('"m" subscribes to itself',
            problems_of(with_source { name = "m", stage = Middle, subscribe_to = { "source", "m" } }))
        assert.matches("subscribes to 7: expected the name of a stage",
            problems_of(with_source { name = "m", stage = Middle, subscribe_to = { 7 } }))
        assert.matches('"subscribe_to" must be a stage, a name, or a list of these, got 7',
            problems_of(with_source { name = "m", stage = Middle, subscribe_to = 7 }))
        assert.matches('"sink", subscription to "source": unknown option "max_demnd" of a subscription: '
            .. 'did you mean "max_demand"%?', problems_of(with_source {
            name = "sink", stage = Sink, subscribe_to = { { to = "source", max_demnd = 1 } },
        }))
    end)

    it("has checked options of subscriptions", function()
        local function problem(options)
            options.to = "source"
            return problems_of(with_source { name = "s", stage = Sink, subscribe_to = { options } })
        end
        assert.matches('stage "s", subscription to "source": option "max_demand" must be at least 1, got 0',
            problem { max_demand = 0 })
        assert.matches('"min_demand" must be at most 4 %(max_demand %- 1%)', problem { max_demand = 5, min_demand = 5 })
        assert.matches('no option "cancel" in a pipeline', problem { cancel = "transient" })
    end)

    it("may have a cycle only with a reason", function()
        local stages = {
            { name = "a", stage = Middle, subscribe_to = { "source", { to = "c" } } },
            { name = "b", stage = Middle, subscribe_to = { "a" } },
            { name = "c", stage = Middle, subscribe_to = { "b" } },
        }
        local message = problems_of(with_source(unpack(stages)))
        assert.matches("cycle a %-> b %-> c %-> a: if that is on purpose, .* needs a reason", message)
        stages[1].subscribe_to[2].reason = 5
        assert.matches("the reason of a cycle must be a text, got 5", problems_of(with_source(unpack(stages))))
        stages[1].subscribe_to[2].reason = "retries"
        assert.equal(4, #plan.new(with_source(unpack(stages)), 1).stages)
    end)

    it("has a consumer for every partition", function()
        assert.matches('stage "source": no consumer takes the partitions "2", "3"',
            problems_of(partitioned(4, { name = "s", stage = Sink, instances = 2, subscribe_to = { "source" } })))
        assert.matches('no consumer takes the partition "even"', problems_of(partitioned({ "odd", "even" },
            { name = "s", stage = Sink, subscribe_to = { { to = "source", partition = "odd" } } })))
        assert.matches('stage "s" has 3 instances, but "source" only 2 partitions',
            problems_of(partitioned(2, { name = "s", stage = Sink, instances = 3, subscribe_to = { "source" } })))
        assert.matches('stage "source" has no partition "x" %(it has "0"%)', problems_of(partitioned(1,
            { name = "s", stage = Sink, subscribe_to = { "source" } },
            { name = "t", stage = Sink, subscribe_to = { { to = "source", partition = "x" } } })))
        assert.matches('no consumer takes the partition', problems_of(partitioned(1)))
        local shared = partitioned(1,
            { name = "s", stage = Sink, subscribe_to = { "source" } },
            { name = "t", stage = Sink, subscribe_to = { "source" } })
        assert.matches('2 consumers take the partition "0": its dispatcher needs groups = true', problems_of(shared))
        shared.stages[1].dispatcher.groups = true
        plan.new(shared, 1)
        plan.new(partitioned(4, { name = "s", stage = Sink, instances = 4, subscribe_to = { "source" } }), 1)
    end)

    it("has no stage that is called like an instance of another", function()
        assert.matches('stage "s.2": an instance of "s" has that name', problems_of(with_source(
            { name = "s", stage = Sink, instances = 2, subscribe_to = { "source" } },
            { name = "s.2", stage = Sink, subscribe_to = { "source" } })))
    end)

    it("has one stage for the dead letters of another", function()
        local function given(dead_letter)
            return with_source({ name = "letters", stage = Source, instances = 2 },
                { name = "s", stage = Sink, dead_letter = dead_letter, subscribe_to = { "source" } })
        end
        assert.matches('stage "s": dead letters go to one stage, but "letters" has instances',
            problems_of(given "letters"))
        plan.new(given "letters.1", 1)
    end)

    it("passes other values of on_error on to the stage", function()
        local made = plan.new(with_source({ name = "s", stage = Sink, on_error = "skip", subscribe_to = { "source" } },
            { name = "t", stage = Sink, on_error = "stop", subscribe_to = { "source" } }), 1)
        assert.same({ "skip", "restart" }, { made.stages[2].options.on_error, made.stages[2].on_error })
        assert.same({ nil, "stop" }, { made.stages[3].options.on_error, made.stages[3].on_error })
        assert.matches('stage "s": option "on_error"',
            problems_of(with_source { name = "s", stage = Sink, on_error = "explode", subscribe_to = { "source" } }))
    end)
end)

describe("the text of a pipeline", function()
    it("is a tree from the sources to the ends", function()
        local made = plan.new({
            name = "demo", max_restarts = 5, max_seconds = 60, backoff = { delay = 100 },
            stages = {
                { name = "lines", stage = Source, dispatcher = "broadcast" },
                { name = "clock", stage = Source, worker = 1 },
                { name = "parse", stage = Middle, instances = 2, dispatcher = { "partition", partitions = 3 },
                    subscribe_to = { { to = "lines", max_demand = 100 }, { to = "late", reason = "retries" } } },
                { name = "count", stage = Sink, instances = 3, on_error = "stop", subscribe_to = { "parse" } },
                { name = "late", stage = Middle, subscribe_to = { "lines", "clock" } },
            },
        }, 2)
        assert.equal(([[
pipeline "demo" (at most 5 restarts in 60 s, the first after 100 ms)
lines  producer, broadcast
├─ parse x2  producer_consumer, partition 3, max_demand 100
│  └─ count x3  consumer, on_error stop
└─ late  producer_consumer
   └─ back to parse: retries
clock  producer, worker 1
└─ late  (see above)]]), text.of(made))
    end)

    it("needs no name", function()
        assert.equal("pipeline (at most 3 restarts in 5 s)\nsource  producer", text.of(plan.new(with_source(), 1)))
    end)
end)
