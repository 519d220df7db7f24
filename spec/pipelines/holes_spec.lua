-- SPDX-License-Identifier: MIT

--- Lists of events with nil in them: no event is lost behind it, and none is nil; the stage ends with an
--- error that names the place.
local new_table = require "table.new"
local stagehost = require "stagehost"
local stages = require "spec.support.stages"

local NOTHING = { nil }

--- Why a stage ends whose callback of that name returns `list`.
local function reason_of(callback, list)
    local function give()
        return list
    end
    local Source = stagehost.producer { handle_demand = callback == "handle_demand" and give or nil,
        handle_cast = callback == "handle_cast" and give or nil }
    local source = stages.start(callback == "handle_events" and stagehost.source.list { 1, 2, 3 } or Source,
        { demand = "accumulate" })
    local middle = source
    if callback == "handle_events" then
        middle = stages.start(stagehost.producer_consumer { handle_events = give }, {
            subscribe_to = { { to = source, cancel = "temporary" } },
        })
    end
    local sink = stages.start(stagehost.sink.collect(), { subscribe_to = { { to = middle, cancel = "temporary" } } })
    source:demand "forward"
    source:cast "give"
    local reason = middle:join()
    assert.same({}, sink:call "events")
    return tostring(reason)
end

local function list_with_hole(n, at)
    local list = {}
    for i = 1, n do
        if i ~= at then
            list[i] = i
        end
    end
    return list
end

describe("a list of events with a hole", function()
    after_each(stages.stop_all)

    for _, callback in ipairs { "handle_demand", "handle_events", "handle_cast" } do
        local cases = {
            { "{ 1, nil, 3 }", { 1, NOTHING[1], 3 }, 2 },
            { "{ nil, 2 }", { NOTHING[1], 2 }, 1 },
            { "{ 1, nil, nil, nil, 5 }", { 1, NOTHING[1], NOTHING[1], NOTHING[1], 5 }, 2 },
            { "one of 100 in a loop", list_with_hole(100, 37), 37 },
            { "one of 1000 in a loop", list_with_hole(1000, 512), 512 },
        }
        local made = new_table(10, 0)
        made[1], made[10] = "first", "last"
        table.insert(cases, { "a table that was made large enough", made, 2 })
        for _, case in ipairs(cases) do
            it("that " .. callback .. " returns is an error: " .. case[1], function()
                local expected = "%s returned a list with a hole %%(its event %d is nil%%): it must return a list"
                assert.matches(expected:format(callback, case[3]), reason_of(callback, case[2]))
            end)
        end
    end

    it("is found in later lists where events are missing", function()
        local Thin = stagehost.producer_consumer {
            init = function(self) self.seen = 0 end,
            handle_events = function(self, events)
                local out = {}
                for i, event in ipairs(events) do
                    -- Well after the lists that are looked at in any case.
                    if self.seen < 1500 or i % 2 == 1 then
                        out[i] = event
                    end
                end
                self.seen = self.seen + #events
                return out
            end,
        }
        local n = 0
        local source = stages.start(stagehost.source.iterate(function()
            n = n + 1
            return n <= 3000 and n or nil
        end), { demand = "accumulate" })
        local thin = stages.start(Thin, { subscribe_to = { { to = source, max_demand = 8, min_demand = 4 } } })
        local got
        local sink = stages.start(stagehost.sink.collect(), {
            subscribe_to = { { to = thin, cancel = "temporary", max_demand = 4 } },
        })
        source:demand "forward"
        assert.matches("a list with a hole", tostring(thin:join()))
        got = sink:call "events"
        for i = 1, #got do
            assert.equal(i, got[i])
        end
        assert.equal(1500, #got)
    end)

    it("is an error in what stagehost.stop is given", function()
        local Stops = stagehost.producer {
            handle_demand = function() return stagehost.stop("normal", { 1, NOTHING[1], 3 }) end,
        }
        local source = stages.start(Stops)
        stages.start(stagehost.sink.collect(), { subscribe_to = { { to = source, cancel = "temporary" } } })
        assert.matches("handle_demand returned a list with a hole %(its event 2 is nil%)", tostring(source:join()))
    end)

    it("is told from lists that have other fields", function()
        local other = { "a", "b", n = 2, [0] = "zero", [-1] = "less", [1.5] = "and a half" }
        local Source = stagehost.producer {
            handle_demand = function()
                return stagehost.stop("normal", other)
            end,
        }
        assert.same({ "a", "b" }, (stagehost.sink.collect_from(stages.start(Source))))
    end)
end)

describe("a list in an option with a hole", function()
    it("is an error that names the place", function()
        local function refusal(f, ...)
            local ok, err = pcall(f, ...)
            assert.is_false(ok)
            return tostring(err)
        end
        assert.matches('option "children" must be a list without holes %(element 1 is nil%)',
            refusal(stagehost.supervisor, { children = { NOTHING[1], {} } }))
        assert.matches("the events must be a list without holes %(element 2 is nil%)",
            refusal(stagehost.source.list, { 1, NOTHING[1], 3 }))
        assert.matches("the events must be a list without holes %(element 2 is nil%)",
            refusal(stagehost.source.queue().push_all, stagehost.source.queue(), { 1, NOTHING[1], 3 }))
    end)
end)
