-- SPDX-License-Identifier: MIT

--- The count of restarts, without a clock.
local intensity = require "stagehost.supervisor.intensity"

describe("restart intensity", function()
    it("allows three restarts within five seconds by default, not a fourth", function()
        local count = intensity.new()
        assert.is_true(count:add(100))
        assert.is_true(count:add(101))
        assert.is_true(count:add(102))
        assert.is_false(count:add(105.9))
    end)

    it("forgets what is older than max_seconds", function()
        local count = intensity.new(1, 5)
        assert.is_true(count:add(10))
        assert.is_true(count:add(16))
        assert.is_false(count:add(21))
        assert.is_true(count:add(27))
    end)

    it("with max_seconds 0 counts within the same second", function()
        local count = intensity.new(1, 0)
        assert.is_true(count:add(10.1))
        assert.is_true(count:add(11.2))
        assert.is_false(count:add(11.9))
    end)

    it("with max_restarts 0 allows none", function()
        assert.is_false(intensity.new(0, 5):add(1))
    end)

    it("keeps no more than what counts", function()
        local count = intensity.new(10, 1)
        for now = 1, 1000 do
            assert.is_true(count:add(now))
        end
        local kept = 0
        for _ in pairs(count.times) do
            kept = kept + 1
        end
        assert.equal(2, kept)
    end)
end)

describe("a count of restarts", function()
    it("says how many count, and keeps a note of the oldest", function()
        local count = intensity.new(2, 5)
        assert.same({ true, 1 }, { count:add(10, "first") })
        assert.same({ true, 2 }, { count:add(12, "second") })
        assert.equal("first", count:oldest())
        assert.same({ true, 2 }, { count:add(16, "third") })
        assert.equal("second", count:oldest())
        assert.same({ false, 3 }, { count:add(17, "fourth") })
    end)
end)
