-- SPDX-License-Identifier: MIT

--- Waits between restarts, without a clock.
local backoff = require "stagehost.supervisor.backoff"

local function options(given)
    return assert(backoff.check(given))
end

local function problem_of(given)
    local result, problem = backoff.check(given)
    assert.is_nil(result)
    return problem
end

local function delays(given, n, random)
    local list = {}
    for attempt = 1, n do
        list[attempt] = backoff.delay(options(given), attempt, function() return random or 0 end)
    end
    return list
end

describe("back-off", function()
    it("doubles by default, up to thirty seconds", function()
        assert.same({ 100, 200, 400, 800 }, delays({ delay = 100 }, 4))
        assert.equal(30000, delays({ delay = 100 }, 20)[20])
        assert.equal(30000, delays({ delay = 100 }, 2000)[2000])
    end)

    it("grows by the factor up to the cap", function()
        assert.same({ 10, 30, 50, 50 }, delays({ delay = 10, factor = 3, cap = 50 }, 4))
        assert.same({ 10, 10, 10 }, delays({ delay = 10, factor = 1 }, 3))
    end)

    it("leaves a share of the wait to chance", function()
        assert.same({ 100, 200 }, delays({ delay = 100, jitter = 0.5 }, 2, 0))
        assert.same({ 50, 100 }, delays({ delay = 100, jitter = 0.5 }, 2, 1))
        assert.same({ 0, 0 }, delays({ delay = 100, jitter = 1 }, 2, 1))
    end)

    it("is over when a child has been running for as long as the cap", function()
        local given = options { delay = 10, cap = 500 }
        assert.is_false(backoff.is_over(given, 499))
        assert.is_true(backoff.is_over(given, 500))
    end)

    it("refuses what makes no sense, and says what", function()
        assert.matches("must be a table", problem_of(5))
        assert.matches('needs "delay"', problem_of {})
        assert.matches('option "delay" must be at least 1, got 0', problem_of { delay = 0 })
        assert.matches('option "factor" must be at least 1, got 0.5', problem_of { delay = 1, factor = 0.5 })
        assert.matches('option "jitter" must be between 0 and 1, got 2', problem_of { delay = 1, jitter = 2 })
        assert.matches('cap of at least delay %(100%)', problem_of { delay = 100, cap = 50 })
        assert.matches('unknown option "max"', problem_of { delay = 100, max = 50 })
        assert.not_matches("%.lua:%d", problem_of { delay = 100, max = 50 })
    end)
end)
