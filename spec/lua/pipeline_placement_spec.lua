-- SPDX-License-Identifier: MIT
local placement = require "stagehost.pipeline.placement"

--- A stage of a plan; more: its producers.
local function stage(name, options, ...)
    local links = {}
    for i, producer in ipairs { ... } do
        links[i] = { to = producer }
    end
    local worker = options.worker or options.instances and "any" or nil
    return { name = name, instances = options.instances, options = { worker = worker }, links = links }
end

local function choose(n_workers, own, stages)
    return placement.choose(stages, n_workers, own)
end

describe("instances", function()
    it("go to different workers first, from the pipeline's own on", function()
        assert.same({ 1, 2, 0, 1 }, choose(3, 1, { stage("a", { instances = 4 }) }).a)
    end)

    it("go to the workers with the fewest units of the pipeline", function()
        assert.same({ 2, 3, 1 }, choose(4, 0, {
            stage("x", { worker = 0 }), stage("y", { worker = 0 }),
            stage("a", { instances = 3 }, "x"),
            stage("z", { worker = 1 }, "a"),
        }).a)
    end)

    it("are counted for each stage: two stages with two instances each use four workers", function()
        local places = choose(4, 0, { stage("parse", { instances = 2 }), stage("count", { instances = 2 }, "parse") })
        assert.same({ parse = { 0, 1 }, count = { 2, 3 } }, places)
    end)

    it("are spread whatever else runs there", function()
        local stages = {}
        for i = 1, 5 do
            stages[i] = stage("x" .. i, {})
        end
        stages[6] = stage("a", { instances = 4 }, "x1")
        assert.same({ 1, 0, 1, 0 }, choose(2, 0, stages).a)
    end)

    it("of two stages share workers in the same order", function()
        local places = choose(2, 0, {
            stage("source", {}),
            stage("parse", { instances = 2 }, "source"),
            stage("count", { instances = 2 }, "parse"),
        })
        assert.same({ source = { 0 }, parse = { 1, 0 }, count = { 1, 0 } }, places)
    end)

    it("all go to one worker if that is given, or the only one", function()
        assert.same({ 1, 1 }, choose(2, 0, { stage("a", { instances = 2, worker = 1 }) }).a)
        assert.same({ 0, 0, 0 }, choose(1, 0, { stage("a", { instances = 3 }) }).a)
    end)
end)

describe("a single stage", function()
    it("stays with its neighbours on the pipeline's own worker", function()
        local places = choose(4, 2, { stage("a", {}), stage("b", {}, "a"), stage("c", {}, "b") })
        assert.same({ a = { 2 }, b = { 2 }, c = { 2 } }, places)
    end)

    it("goes where its producer was put, and its own consumers follow", function()
        local places = choose(4, 0, {
            stage("a", {}), stage("b", { worker = 3 }, "a"), stage("c", {}, "b"), stage("d", {}, "c"),
        })
        assert.same({ a = { 0 }, b = { 3 }, c = { 3 }, d = { 3 } }, places)
    end)

    it("goes where most of its producers are, and else to the pipeline's own worker", function()
        local function of_producers(...)
            local stages = { stage("sink", {}, "p1", "p2", "p3") }
            for i, worker in ipairs { ... } do
                table.insert(stages, i, stage("p" .. i, { worker = worker }))
            end
            return choose(4, 1, stages).sink[1]
        end
        assert.equal(3, of_producers(1, 3, 3))
        assert.equal(1, of_producers(3, 1, 0))
        assert.equal(0, of_producers(3, 2, 0))
        assert.same({ 1 }, choose(2, 1, { stage("a", { instances = 4 }), stage("sink", {}, "a") }).sink)
    end)

    it("does not follow a feedback, nor a stage that the engine places", function()
        local back = stage("a", {}, "b")
        back.links[1].reason = "retries come back"
        assert.same({ 0 }, choose(2, 0, { back, stage("b", { worker = 1 }, "a") }).a)
        local places = choose(2, 0, { stage("a", { worker = "any" }), stage("b", {}, "a") })
        assert.is_nil(places.a)
        assert.same({ 0 }, places.b)
    end)
end)
