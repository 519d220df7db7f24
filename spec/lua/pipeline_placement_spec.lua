-- SPDX-License-Identifier: MIT
local placement = require "stagehost.pipeline.placement"

local function take(places, stage, n)
    local workers = {}
    for i = 1, n do
        workers[i] = places:take(stage)
    end
    return workers
end

describe("places of instances", function()
    it("are different workers first, from the pipeline's own on", function()
        assert.same({ 1, 2, 0, 1 }, take(placement.new(3, 1), "stage", 4))
    end)

    it("are those with the fewest units of the pipeline", function()
        local places = placement.new(4, 0)
        places:add(0)
        places:add(0)
        places:add(1)
        assert.same({ 2, 3, 1 }, take(places, "stage", 3))
    end)

    it("are counted for each stage: two stages with two instances each use four workers", function()
        local places = placement.new(4, 0)
        assert.same({ 0, 1 }, take(places, "parse", 2))
        assert.same({ 2, 3 }, take(places, "count", 2))
    end)

    it("are spread whatever else runs there", function()
        local places = placement.new(2, 0)
        for _ = 1, 5 do
            places:add(0)
        end
        assert.same({ 1, 0, 1, 0 }, take(places, "stage", 4))
    end)

    it("are all the one worker there is", function()
        assert.same({ 0, 0, 0 }, take(placement.new(1, 0), "stage", 3))
    end)
end)
