-- SPDX-License-Identifier: MIT

--- Rates and pauses hold for events that are delivered again, too. As in rate_spec only lower bounds of
--- time are asserted, between instants that are outside of what was limited.
local await = require("spec.support.crashing").await
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local uv = stagehost.uv
local start = stages.start
local numbers = stages.numbers

after_each(stages.stop_all)

local RATE = { events = 5, per_ms = 40 }

local Source = stagehost.producer {
    handle_demand = function() end,
    handle_call = function(_, request)
        if request == "unacknowledged" then
            return stagehost.self():stats().unacknowledged
        end
        return true, request
    end,
}

local Keeper = stagehost.consumer {
    init = function(self) self.got = {} end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.got, event)
        end
    end,
    handle_call = function(self) return self.got end,
}

-- Never comes to an end with what it was given first.
local Stuck = stagehost.consumer { handle_events = function() stagehost.sleep(3600000) end }

--- How long `n` events have to take at least.
local function least_ms(n)
    return (math.ceil(n / RATE.events) - 1) * RATE.per_ms
end

--- Has a consumer die that holds the events 1 to 20; another one, there before its end, gets them all. Answers how
--- long that took, in milliseconds.
local function redeliver(source, limited, more)
    local options = { to = source, ack = true, max_demand = 20, cancel = "temporary", partition = more.partition }
    local stuck = start(Stuck, { subscribe_to = { options } })
    assert(source:call(numbers(1, 20)))
    await(function() return source:call "unacknowledged" == 20 end)
    local keeper = start(Keeper)
    options.rate = limited
    local sub = assert(keeper:subscribe(options))
    if more.pauses then
        sub:pause()
    end
    stagehost.sleep(2 * RATE.per_ms) -- so that the rate has let its ask pass: it could be sent events at once
    local began = uv.hrtime()
    stages.stop(stuck)
    if more.while_paused then
        more.while_paused(keeper, sub)
    end
    if more.follow then
        assert(source:call(more.follow))
    end
    local all = numbers(1, 20 + #(more.follow or {}))
    await(function() return #keeper:call() >= #all end)
    local took = (uv.hrtime() - began) / 1e6
    assert.same(all, keeper:call())
    return took
end

local function partitioned(groups)
    return { "partition", partitions = 1, groups = groups, hash = function() return 0 end }
end

describe("events that are delivered again", function()
    for kind, dispatcher in pairs { demand = "demand", partition = partitioned(true) } do
        local partition = kind == "partition" and 0 or nil

        it("respect the rate of their producer: " .. kind, function()
            local source = start(Source, { rate = RATE, dispatcher = dispatcher })
            assert.is_true(redeliver(source, nil, { partition = partition }) >= least_ms(20))
        end)

        it("are not overtaken by later ones while the rate holds them: " .. kind, function()
            local source = start(Source, { rate = RATE, dispatcher = dispatcher })
            local took = redeliver(source, nil, { partition = partition, follow = numbers(21, 32) })
            assert.is_true(took >= least_ms(32))
        end)

        it("respect the rate of the subscription that gets them: " .. kind, function()
            local source = start(Source, { dispatcher = dispatcher })
            assert.is_true(redeliver(source, RATE, { partition = partition }) >= least_ms(20))
        end)

        it("wait while that is paused: " .. kind, function()
            local source = start(Source, { dispatcher = dispatcher })
            redeliver(source, nil, { partition = partition, pauses = true, while_paused = function(keeper, sub)
                await(function() return source:call {} end)
                assert.same({}, keeper:call())
                sub:resume()
            end })
        end)
    end
end)
