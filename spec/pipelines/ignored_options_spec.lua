-- SPDX-License-Identifier: MIT

--- Options of subscriptions that mean nothing to the dispatcher of the producer: the subscription is refused, as
--- others are.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

local Custom = {
    subscribe = function() end,
    cancel = function() end,
    ask = function() end,
    dispatch = function(_, events) return #events end,
}

local OPTIONS = {
    partition = 0,
    selector = function() return true end,
    weight = 1,
    priority = 5,
}

local DISPATCHERS = {
    { "demand", "demand", {} },
    { "fair", "fair", { weight = true, priority = true } },
    { "broadcast", "broadcast", { selector = true } },
    { "replay", { "broadcast", replay = 3 }, { selector = true } },
    { "partition", { "partition", partitions = 1, hash = function() return 0 end }, { partition = true } },
    { "a rate", { "broadcast" }, { selector = true }, { events = 10, per_ms = 1 } },
    { "a table of functions", Custom, { partition = true, selector = true, weight = true, priority = true } },
}

local Source = stagehost.producer {
    handle_demand = function() end,
    handle_call = function() return "here" end,
}

local Keeper = stagehost.consumer {
    init = function(self) self.cancels = {} end,
    handle_events = function() end,
    handle_cancel = function(self, reason) table.insert(self.cancels, reason) end,
    handle_call = function(self) return self.cancels end,
}

local function source_of(dispatcher, worker)
    return start(Source, { dispatcher = dispatcher[2], rate = dispatcher[4], worker = worker })
end

--- Whether the producer lets it in: the reason if not.
local function refusal(dispatcher, key, worker)
    local source = source_of(dispatcher, worker)
    local keeper = start(Keeper)
    local given = { to = source, cancel = "temporary", [key] = OPTIONS[key] }
    if dispatcher[1] == "partition" then
        given.partition = 0
    end
    assert(keeper:subscribe(given))
    source:call "are you there"
    return keeper:call("cancels")[1]
end

describe("a pipeline", function()
    it("ends when a stage of it is refused", function()
        local pipeline = stagehost.pipeline {
            stages = {
                { name = "source", stage = Source },
                { name = "keeper", stage = Keeper, subscribe_to = { { to = "source", priority = 1 } } },
            },
        }
        local _, _, reason = assert(pipeline:start()):join()
        assert.equal("option_ignored", reason)
    end)
end)

for worker = 0, stagehost.workers() - 1 do
    describe(("an option of a subscription with a producer on worker %d"):format(worker), function()
        for _, dispatcher in ipairs(DISPATCHERS) do
            for key in pairs(OPTIONS) do
                local expected = not dispatcher[3][key] and "option_ignored" or nil
                local what = ('%s is %s by %s'):format(key, expected and "refused" or "taken", dispatcher[1])
                it(what, function()
                    assert.equal(expected, refusal(dispatcher, key, worker))
                end)
            end
        end
    end)

    describe(("a refusal on worker %d"):format(worker), function()
        it("ends a permanent consumer", function()
            local source = source_of(DISPATCHERS[1], worker)
            local keeper = start(Keeper, { subscribe_to = { { to = source, priority = 1 } } })
            assert.equal("option_ignored", keeper:join())
            assert.is_true(source:is_alive())
        end)

        it("also after a redirection", function()
            local source = source_of(DISPATCHERS[1], worker)
            local redirector = start(stagehost.producer {
                handle_subscribe = function() return stagehost.redirect { source } end,
            })
            local keeper = start(Keeper, { subscribe_to = { { to = redirector, weight = 3 } } })
            assert.equal("option_ignored", keeper:join())
        end)
    end)
end
