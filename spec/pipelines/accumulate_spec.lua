-- SPDX-License-Identifier: MIT

--- How a producer ends that holds events back in demand mode "accumulate".
local hooks = require "stagehost.spec"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

local asked

local Relay = stagehost.producer {
    handle_demand = function()
        asked = asked + 1
    end,
    handle_cast = function(_, events)
        if events == "stop" then
            return stagehost.stop("normal", { "last" })
        end
        return events
    end,
}

--- An accumulating producer with two batches, and a consumer that has asked; what it gets.
local function set_up()
    asked = 0
    local got = { events = {} }
    local producer = start(Relay, { demand = "accumulate" })
    local consumer = start(stagehost.consumer {
        handle_events = function(_, events)
            for _, event in ipairs(events) do
                table.insert(got.events, event)
            end
        end,
        handle_cancel = function(_, reason)
            got.reason = reason
        end,
    })
    assert(consumer:subscribe { to = producer, cancel = "temporary", max_demand = 2 })
    producer:cast { 1, 2, 3 }
    producer:cast { 4 }
    hooks.settle(1000)
    assert.same({}, got.events)
    return producer, consumer, got
end

describe("an accumulating producer", function()
    it("that is told to stop forwards what it holds, and ends", function()
        local producer, _, got = set_up()
        producer:stop()
        hooks.settle(1000)
        assert.same({ 1, 2, 3, 4 }, got.events)
        assert.equal("normal", got.reason)
        assert.equal(0, asked)
    end)

    it("that is told to stop for another reason ends at once", function()
        local producer, _, got = set_up()
        producer:stop "shutdown"
        hooks.settle(1000)
        assert.same({}, got.events)
        assert.equal("shutdown", got.reason)
    end)

    it("that stops by itself waits until it is told to forward", function()
        local producer, _, got = set_up()
        producer:cast "stop"
        hooks.settle(1000)
        assert.is_true(producer:is_alive())
        assert.same({}, got.events)
        producer:demand "forward"
        producer:join()
        hooks.settle(1000)
        assert.same({ 1, 2, 3, 4, "last" }, got.events)
        assert.equal("normal", got.reason)
    end)

    it("that stops by itself may be told to stop as well", function()
        local producer, _, got = set_up()
        producer:cast "stop"
        hooks.settle(1000)
        producer:stop()
        hooks.settle(1000)
        assert.same({ 1, 2, 3, 4, "last" }, got.events)
    end)

    it("that holds nothing ends at once", function()
        local producer = start(Relay, { demand = "accumulate" })
        local consumer = start(stagehost.consumer { handle_events = print })
        assert(consumer:subscribe { to = producer })
        producer:stop()
        assert.equal("normal", consumer:join())
    end)
end)
