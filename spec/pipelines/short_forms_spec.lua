-- SPDX-License-Identifier: MIT

--- Short forms of options: a path for source.lines and sink.lines, one producer for subscribe_to.
local files = require "spec.support.files"
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start

after_each(stages.stop_all)

describe("subscribe_to", function()
    local function events_of(subscribe_to)
        local middle = start(stagehost.producer_consumer { handle_events = function(_, events) return events end },
            { subscribe_to = subscribe_to })
        return (stagehost.sink.collect_from(middle))
    end

    it("takes one producer", function()
        local function source(name)
            return start(stagehost.source.list { 1, 2, 3 }, { name = name })
        end
        assert.same({ 1, 2, 3 }, events_of(source()))
        source "one"
        assert.same({ 1, 2, 3 }, events_of "one")
        source "two"
        assert.same({ 1, 2, 3 }, events_of { "two", max_demand = 10 })
        assert.same({ 1, 2, 3 }, events_of { source(), max_demand = 10 })
        assert.same({ 1, 2, 3 }, events_of { to = source(), max_demand = 10 })
        assert.same({ 1, 2, 3 }, events_of { { source(), max_demand = 10 } })
    end)

    it("says what is wrong with the rest", function()
        local Sink = stagehost.sink.print()
        local function refuses(value, text)
            assert.error_matches(function() stagehost.start(Sink, { subscribe_to = value }) end, text)
        end
        refuses(7, 'option "subscribe_to" must be a stage, a name, or a list of these, got 7')
        refuses({ 7 }, 'option "to" must be a stage handle or a name, got 7')
        refuses({ "a", "b", max_demand = 10 }, "unknown option 2 of a subscription")
        refuses({ max_demand = 10 }, 'option "to" must be a stage handle or a name, got nil')
    end)

    it("takes one in a pipeline, too", function()
        local got = {}
        local pipeline = stagehost.pipeline {
            stages = {
                { name = "list", stage = stagehost.source.list { 1, 2, 3 } },
                { name = "each", stage = stagehost.sink.each(function(n) table.insert(got, n) end),
                    subscribe_to = { "list", max_demand = 2 } },
            },
        }
        assert.matches("max_demand 2", tostring(pipeline))
        assert(pipeline:start()):join()
        assert.same({ 1, 2, 3 }, got)
    end)
end)

describe("a path", function()
    it("is all that source.lines and sink.lines need", function()
        local folder = files.new()
        finally(function() folder:remove() end)
        local source = start(stagehost.source.lines(folder:write("from", "a\nb\n")), { demand = "accumulate" })
        local sink = start(stagehost.sink.lines(folder:at "to"), { subscribe_to = source })
        source:demand "forward"
        sink:join()
        assert.equal("a\nb\n", folder:read "to")
    end)

    it("must be a string", function()
        assert.error_matches(function() stagehost.source.lines(7) end,
            'option "path" must be a string or a table of options, got 7')
        assert.error_matches(function() stagehost.sink.lines(true) end, 'option "path" must be a string')
    end)
end)
