-- SPDX-License-Identifier: MIT

--- Packed strings as events of Lua stages: what a callback sees, what it may return, and what becomes of them.
local core = require "stagehost.core"
local stagehost = require "stagehost"

local function words(n)
    local list = {}
    for i = 1, n do
        list[i] = "word " .. i
    end
    return list
end

--- A producer that emits what `make` returns, `batches` times, once it has been asked.
local function producer(make, batches)
    return stagehost.producer {
        init = function(self) self.left = batches or 1 end,
        handle_demand = function(self)
            if not self.is_asked then
                self.is_asked = true
                self.stage:send "next"
            end
        end,
        handle_info = function(self)
            self.left = self.left - 1
            if self.left == 0 then
                return stagehost.stop("normal", make())
            end
            self.stage:send "next"
            return make()
        end,
    }
end

--- What a collect sink gets of a pipeline of these stages.
local function collect(stages)
    stages[#stages + 1] = { name = "out", stage = stagehost.sink.collect(), subscribe_to = { stages[#stages].name } }
    return assert(assert(stagehost.pipeline { stages = stages, max_restarts = 0 }:start()):join()).out
end

describe("a packed list", function()
    it("has a length, elements and a table of all of them", function()
        local list = core.pack { "a", "", "c\0d" }
        assert.equal(3, #list)
        assert.equal("a", list[1])
        assert.equal("", list[2])
        assert.equal("c\0d", list[3])
        assert.is_nil(list[0])
        assert.is_nil(list[4])
        assert.is_nil(list[1.5])
        assert.is_nil(list.unknown)
        assert.same({ "a", "", "c\0d" }, list:table())
        assert.equal("packed list<3 strings>", tostring(list))
    end)

    it("is a text, with an ending behind each string", function()
        local list = core.pack { "a", "", "c\0d", "" }
        assert.equal("a\n\nc\0d\n\n", list:text "\n")
        assert.equal("ac\0d", list:text "")
        assert.equal("a; ; c\0d; ; ", list:text "; ")
        assert.equal("", core.pack({}):text "\n")
        local lines = require("stagehost.core.text").splitter(false):feed "a\n\nb\r\nlast\n"
        assert.equal("a\n\nb\nlast\n", lines:text "\n")
        assert.equal("a\r\n\r\nb\r\nlast\r\n", lines:text "\r\n")
    end)

    it("is made of strings only", function()
        assert.error_matches(function() core.pack { "a", 5 } end,
            "element 2 of 2 is a number: only strings can be packed")
    end)

    it("may be returned in place of a table, and is delivered as one", function()
        local got = collect {
            { name = "source", stage = producer(function() return core.pack(words(20)) end, 3) },
        }
        assert.equal(60, #got)
        assert.equal("word 20", got[60])
    end)

    it("may be empty", function()
        assert.same({}, collect { { name = "source", stage = producer(function() return core.pack {} end, 2) } })
    end)

    it("may be the events of a stop and of a reply", function()
        local Stage = stagehost.producer {
            handle_demand = function() end,
            handle_call = function() return "reply", core.pack { "by call" } end,
        }
        local stage = assert(stagehost.start(Stage))
        local sink = assert(stagehost.start(stagehost.sink.collect(),
            { subscribe_to = { stage }, cancel = "temporary" }))
        assert.equal("reply", stage:call "x")
        stage:stop()
        assert.same({ "by call" }, assert(sink:call "finish").events)
    end)

    it("is a new table for each consumer of a broadcast", function()
        local tables = {}
        local Consumer = stagehost.consumer {
            handle_events = function(_, events)
                tables[events] = #events
                events[1] = "changed"
            end,
        }
        local source = assert(stagehost.start(producer(function() return core.pack(words(3)) end),
            { dispatcher = "broadcast", demand = "accumulate" }))
        local consumers = {}
        for i = 1, 2 do
            consumers[i] = assert(stagehost.start(Consumer, { subscribe_to = { source } }))
        end
        source:demand "forward"
        for i = 1, 2 do
            consumers[i]:join()
        end
        local n = 0
        for _, count in pairs(tables) do
            n = n + 1
            assert.equal(3, count)
        end
        assert.equal(2, n)
    end)

    it("keeps its order in the buffer, beside tables", function()
        local i = 0
        local got = collect {
            { name = "source", stage = producer(function()
                i = i + 1
                return i % 2 == 0 and core.pack(words(7)) or words(5)
            end, 6), buffer_size = "infinity" },
            { name = "half", stage = stagehost.producer_consumer {
                handle_events = function(_, events) return events end,
            }, subscribe_to = { { "source", max_demand = 4 } } },
        }
        local expected = {}
        for k = 1, 6 do
            for _, word in ipairs(words(k % 2 == 0 and 7 or 5)) do
                expected[#expected + 1] = word
            end
        end
        assert.same(expected, got)
    end)
end)

describe("a stage with packed = true", function()
    it("gets packed strings as they are, and tables as tables", function()
        local kinds = {}
        local Consumer = stagehost.consumer {
            packed = true,
            handle_events = function(_, events)
                kinds[#kinds + 1] = type(events) .. " " .. #events .. " " .. events[1]
            end,
        }
        local i = 0
        local source = assert(stagehost.start(producer(function()
            i = i + 1
            return i == 1 and core.pack(words(2)) or words(3)
        end, 2), { demand = "accumulate" }))
        local consumer = assert(stagehost.start(Consumer, { subscribe_to = { source } }))
        source:demand "forward"
        consumer:join()
        assert.same({ "userdata 2 word 1", "table 3 word 1" }, kinds)
    end)

    it("may return them", function()
        local got = collect {
            { name = "source", stage = producer(function() return core.pack(words(4)) end) },
            { name = "same", stage = stagehost.producer_consumer {
                packed = true,
                handle_events = function(_, events) return events end,
            }, subscribe_to = { { "source", max_demand = 2 } } },
        }
        assert.same(words(4), got)
    end)

    it("is refused another value of the option", function()
        assert.error_matches(function()
            stagehost.start(stagehost.consumer { packed = "yes", handle_events = function() end })
        end, "packed")
    end)
end)

describe("packed strings at a partition dispatcher", function()
    local function spread(make)
        local got, consumers = {}, {}
        local source = assert(stagehost.start(producer(make), {
            dispatcher = { "partition", partitions = 3 }, demand = "accumulate" }))
        for p = 0, 2 do
            consumers[p] = assert(stagehost.start(stagehost.sink.collect(),
                { cancel = "temporary", subscribe_to = { { to = source, partition = p } } }))
        end
        source:demand "forward"
        for p = 0, 2 do
            got[p] = assert(consumers[p]:call "finish").events
        end
        return got
    end

    it("go where tables of the same strings go", function()
        local packed = spread(function() return core.pack(words(50)) end)
        assert.same(spread(function() return words(50) end), packed)
        for p = 0, 2 do
            for _, word in ipairs(packed[p]) do
                assert.equal(p, stagehost.hash(word, 3))
            end
        end
    end)
end)

describe("packed strings between workers", function()
    it("arrive as tables", function()
        local got = collect {
            { name = "source", stage = stagehost.producer {
                handle_demand = function()
                    local list = {}
                    for i = 1, 2000 do
                        list[i] = "line " .. i
                    end
                    return stagehost.stop("normal", require "stagehost.core".pack(list))
                end,
            }, worker = 0 },
            { name = "far", worker = stagehost.workers() - 1, stage = stagehost.producer_consumer {
                handle_events = function(_, events)
                    assert(type(events) == "table")
                    return events
                end,
            }, subscribe_to = { "source" } },
        }
        assert.equal(2000, #got)
        assert.equal("line 2000", got[2000])
    end)
end)

describe("dead letters", function()
    it("are made of packed strings", function()
        local letters = assert(stagehost.start(stagehost.dead_letters { name = "letters" }))
        local sink = assert(stagehost.start(stagehost.sink.collect(),
            { subscribe_to = { letters }, cancel = "temporary" }))
        local Failing = stagehost.consumer { handle_events = function() error "never" end }
        local source = assert(stagehost.start(producer(function() return core.pack { "x", "y" } end),
            { demand = "accumulate" }))
        local failing = assert(stagehost.start(Failing, {
            subscribe_to = { source }, on_error = "dead_letter", dead_letter = letters }))
        source:demand "forward"
        failing:join()
        letters:stop()
        local got = assert(sink:call "finish").events
        assert.equal(2, #got)
        assert.equal("y", got[2].event)
    end)
end)
