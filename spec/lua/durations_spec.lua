-- SPDX-License-Identifier: MIT

--- Durations: numbers of milliseconds, or strings with a unit, wherever a time is given.
local checks = require "stagehost.options.checks"
local stagehost = require "stagehost"

describe("a duration", function()
    it("has a unit or is a number of milliseconds", function()
        local check = checks.duration(1, 5000)
        for given, ms in pairs { [7] = 7, ["250ms"] = 250, ["2s"] = 2000, ["1.5s"] = 1500, ["0.05m"] = 3000 } do
            assert.equal(ms, (check(given)))
        end
        for _, wrong in ipairs { "5", "ms", "5 s", "5x", "-5s", "1.5", 1.5, true, "0.5ms" } do
            assert.equal('must be an integer of milliseconds, or a duration such as "250ms", "10s", "5m"',
                select(2, check(wrong)))
        end
        assert.equal("must be at most 5000", select(2, check "1h"))
        assert.equal("must be at least 1", select(2, check "0s"))
    end)

    it("may be the value of each option that is a time", function()
        local function nothing() end
        local Source = stagehost.producer { handle_demand = nothing }
        local Sink = stagehost.consumer { handle_events = nothing }
        local source = assert(stagehost.start(Source, {
            polling_interval = "1h", rate = { events = 1, per_ms = "1s" },
        }))
        local sink = assert(stagehost.start(Sink, {
            on_error = { "retry", delay = "10ms" },
            subscribe_to = { source, batch = { size = 2, timeout_ms = "10s" } },
        }))
        sink:stop()
        source:stop()
        assert.error_matches(function()
            stagehost.start(Source, { polling_interval = "soon" })
        end, 'option "polling_interval" must be an integer of milliseconds, or a duration such as .*, got "soon"')
        stagehost.source.interval "10ms"
        stagehost.source.tail { path = "x", poll = "1s" }
        stagehost.pipeline { backoff = { delay = "1s", cap = "1m" }, { Source, shutdown = "1s" }, Sink }
    end)

    it("is taken by functions that wait", function()
        local clock = stagehost.uv.hrtime
        local before = clock()
        stagehost.sleep "0.02s"
        assert.is_true(clock() - before >= 19e6)
        assert.equal("timeout", select(3, stagehost.await_name("spec-nobody", "1ms")))
        stagehost.send_after("1h", "x"):cancel()
        stagehost.every("1m", "x"):cancel()
        assert.error_matches(function() stagehost.sleep "soon" end, "bad argument #1 to 'sleep' "
            .. '%(must be a number of milliseconds, or a duration such as "250ms", "10s", "5m", got "soon"%)')
        assert.error_matches(function() stagehost.sleep "-1s" end, "must be a number of milliseconds, or a duration")
        assert.error_matches(function() stagehost.every("0s", 1) end, "must be a number of milliseconds >= 1, got 0")
    end)
end)
