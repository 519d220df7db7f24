-- SPDX-License-Identifier: MIT
--
-- stagehost.failed: single events that handle_events could not handle, under each on_error.
local stagehost = require "stagehost"
local test = require "stagehost.test"

local function numbers(n)
    local list = {}
    for i = 1, n do
        list[i] = i
    end
    return list
end

-- Doubles even numbers, and fails at odd ones.
local Half = stagehost.producer_consumer {
    handle_events = function(_, events)
        local results = {}
        for i, n in ipairs(events) do
            results[#results + 1] = n % 2 == 0 and 2 * n or stagehost.failed(i, ("%d is odd"):format(n))
        end
        return results
    end,
}

local function start_letters()
    local letters = {}
    local Keeper = stagehost.consumer {
        handle_events = function() end,
        handle_cast = function(_, list)
            for _, letter in ipairs(list) do
                letters[#letters + 1] = ("%s: %s, %d"):format(tostring(letter.event), letter.error.message,
                    letter.deliveries)
            end
        end,
    }
    local keeper = assert(stagehost.start(Keeper))
    finally(function() keeper:kill() end)
    return keeper, letters
end

describe("stagehost.failed", function()
    it("skips single events of a batch", function()
        local half = test.stage(Half, { on_error = "skip" })
        half:demand(100)
        test.equal(half:feed(numbers(6)), { 4, 8, 12 })
        test.stats(half.stage, { skipped = 3, events_in = 6, events_out = 3 })
        half:finish()
        test.ended(half, "normal")
    end)

    it("sends single events to the dead letters", function()
        local keeper, letters = start_letters()
        local half = test.stage(Half, { on_error = "dead_letter", dead_letter = keeper })
        half:demand(100)
        test.equal(half:feed(numbers(5)), { 4, 8 })
        test.equal(letters, { "1: 1 is odd, 1", "3: 3 is odd, 1", "5: 5 is odd, 1" })
        test.stats(half.stage, { dead_lettered = 3 })
        half:finish()
    end)

    it("is like an error with on_error = stop, and drops the results", function()
        local half = test.stage(Half)
        half:demand(100)
        test.equal(half:feed(numbers(4)), {})
        test.ended(half, "1 is odd")
    end)

    it("has the batch tried again, and what follows take single events", function()
        local keeper, letters = start_letters()
        local half = test.stage(Half, { dead_letter = keeper,
            on_error = { "retry", times = 2, delay = 1, after = "dead_letter" } })
        half:demand(100)
        local out = half:feed(numbers(4))
        while #out == 0 do
            stagehost.sleep(1)
            out = half:events()
        end
        test.equal(out, { 4, 8 })
        test.equal(letters, { "1: 1 is odd, 3", "3: 3 is odd, 3" })
        half:finish()
    end)

    it("acknowledges the events of its batch", function()
        local half = test.stage(Half, { on_error = "skip", subscription = { ack = true } })
        half:demand(100)
        test.equal(half:feed(numbers(4)), { 4, 8 })
        test.stats(half.feeder, { unacknowledged = 0, redelivered = 0 })
        half:finish()
    end)

    it("works in a consumer, alone as a result, twice for an event, with a stop, and after a wait", function()
        local sink = test.stage(stagehost.consumer { handle_events = function(_, events)
            for i in ipairs(events) do
                stagehost.failed(i)
                stagehost.failed(i, "again")
            end
            stagehost.sleep(1)
            return stagehost.failed(1)
        end }, { on_error = "skip" })
        sink:feed { "a", "b" }
        stagehost.sleep(5)
        test.stats(sink.stage, { skipped = 2 })
        sink:finish()
        local last = test.stage(stagehost.producer_consumer { handle_events = function(_, events)
            return stagehost.stop("normal", { stagehost.failed(1, "first"), events[2] })
        end }, { on_error = "skip" })
        last:demand(5)
        test.equal(last:feed { "a", "b" }, { "b" })
        test.ended(last, "normal")
    end)

    it("refuses other events and other callbacks", function()
        local function problem_of(i)
            local problem
            local sink = test.stage(stagehost.consumer { handle_events = function()
                problem = select(2, pcall(stagehost.failed, i))
            end }, { on_error = "skip" })
            sink:feed { "a", "b" }
            test.stats(sink.stage, { skipped = 0 })
            sink:finish()
            return problem
        end
        for _, i in ipairs { 0, 3, 1.5, -1 } do
            test.matches(problem_of(i), "stagehost.failed: this call has no event ")
        end
        test.raises(function() stagehost.failed(1) end, "stagehost.failed: only handle_events can call it")
    end)
end)
