-- SPDX-License-Identifier: MIT

--- Chains as they are written: the entries made of them, and what is wrong with them. Nothing is started.
local plan = require "stagehost.pipeline.plan"
local stagehost = require "stagehost"

local source, sink = stagehost.source, stagehost.sink

local function same(event) return event end

local Middle = stagehost.producer_consumer { handle_events = function(_, events) return events end }

--- The stages of a plan as text: "map <- list, each <- map".
local function text_of(given)
    local words = {}
    for i, stage in ipairs(plan.new(given, 2).stages) do
        local producers = {}
        for j, link in ipairs(stage.links) do
            producers[j] = link.to
        end
        words[i] = stage.name .. (#producers > 0 and " <- " .. table.concat(producers, "+") or "")
    end
    return table.concat(words, ", ")
end

local function problems_of(given)
    local ok, err = pcall(plan.new, given, 2)
    assert.is_false(ok)
    return err.message
end

describe("a chain", function()
    it("subscribes each entry to the one before it, under generated names", function()
        assert.equal("list, map <- list, producer_consumer <- map, map 2 <- producer_consumer, each <- map 2", text_of {
            source.list {}, stagehost.map(same), Middle, stagehost.map(same), stagehost.each(same),
        })
    end)

    it("takes entries with options, and with names", function()
        local given = {
            name = "p", source.list {}, { Middle, instances = 3 }, { name = "m", stage = Middle, max_demand = 7 },
            sink.print(),
        }
        assert.equal("list, producer_consumer <- list, m <- producer_consumer, print <- m", text_of(given))
        local made = plan.new(given, 2)
        assert.equal("p", made.name)
        assert.equal(3, made.stages[2].instances)
        assert.equal(7, made.stages[3].options.max_demand)
    end)

    it("gives way to names that are given", function()
        assert.equal("list, map 2 <- list, map <- map 2, print <- map",
            text_of { source.list {}, stagehost.map(same), { stagehost.map(same), name = "map" }, sink.print() })
    end)

    it("is left by an entry with subscribe_to, and begun anew by a producer", function()
        assert.equal("a, list, b <- a+list, print <- b, print 2 <- a", text_of {
            { source.list {}, name = "a" }, source.list {}, { Middle, name = "b", subscribe_to = { "a", "list" } },
            sink.print(), { sink.print(), subscribe_to = "a" },
        })
    end)

    it("mixes with stages that say what they subscribe to", function()
        assert.equal("in, map <- in, print <- map, other <- map", text_of {
            { source.list {}, name = "in" }, stagehost.map(same), sink.print(),
            stages = { { name = "other", stage = sink.print(), subscribe_to = "map" } },
        })
        assert.equal("s, map <- s, print <- map", text_of {
            { stagehost.map(same), subscribe_to = "s" }, sink.print(),
            stages = { { name = "s", stage = source.list {} } },
        })
    end)

    it("passes by a process", function()
        local Process = stagehost.process {}
        assert.equal("list, process, print <- list", text_of { source.list {}, Process, sink.print() })
    end)

    it("fuses stages of functions that have no options", function()
        assert.equal("list, map+filter <- list, map <- map+filter, reject+tap+flat_map+map+... <- map, "
            .. "each <- reject+tap+flat_map+map+...", text_of {
            source.list {}, stagehost.map(same), stagehost.filter(same), { stagehost.map(same), max_demand = 5 },
            stagehost.reject(same), stagehost.tap(same), stagehost.flat_map(same), stagehost.map(same),
            stagehost.map(same), stagehost.each(same),
        })
    end)

    it("may end with a stage that makes a result", function()
        local made = plan.new({ source.list {}, stagehost.count() }, 1)
        assert.equal("consumer", made.stages[2].kind)
        made = plan.new({ source.list {}, stagehost.count(), sink.print() }, 1)
        assert.equal("producer_consumer", made.stages[2].kind)
    end)

    it("says what is wrong with it", function()
        local message = problems_of { source.list {}, same, 7, { same }, { Middle, Middle }, { Middle, stage = Middle },
            sink.print(), { stagehost.map(same), worker = 9 } }
        for _, expected in ipairs {
            "%[2%] is a function: stagehost.map",
            "%[3%] must be a definition, or a table such as { Definition, instances = 3 }, got 7",
            'stage "stage": expected a definition made by .*got a function',
            "%[5%] has the element 2: an entry has one definition",
            '%[6%] has two definitions: its first element, and "stage"',
            'stage "map" subscribes to "print", which is a consumer: it emits no events',
            'stage "map": option "worker" must be at most 1',
        } do
            assert.matches("\n  %- [^\n]*" .. expected, message)
        end
        assert.matches("the chain must be a list without holes %(element 2 is nil%)",
            problems_of { source.list {}, nil, sink.print() })
        assert.matches('stage "print" is a consumer without producers', problems_of { sink.print() })
    end)

    it("must not end with events that nobody takes", function()
        assert.matches('stage "map" emits events that no stage takes: the entry after it',
            problems_of { source.list {}, stagehost.map(same) })
        assert.matches('stage "list" emits events that no stage takes',
            problems_of { source.list {}, source.list {}, sink.print() })
        plan.new({ source.list {}, { stagehost.map(same), name = "open" } }, 1)
    end)
end)
