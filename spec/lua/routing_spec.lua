-- SPDX-License-Identifier: MIT

local routing = require "stagehost.engine.routing"

local function range(first, last)
    local list = {}
    for i = first, last do
        list[#list + 1] = i
    end
    return list
end

local function no_codes()
    error("not called for integers")
end

describe("a selector", function()
    it("chooses from a range in order", function()
        local select = routing.selector(function(event)
            return event % 2 == 0
        end)
        local chosen, count = select(range(1, 10), 3, 5)
        assert.same({ 4, 6, 8 }, chosen)
        assert.equal(3, count)
    end)

    it("goes by truth", function()
        local select = routing.selector(function(event)
            return event.wanted
        end)
        local _, count = select({ { wanted = 1 }, {}, { wanted = false } }, 0, 3)
        assert.equal(1, count)
    end)
end)

describe("a splitter", function()
    local function split_all(split, events, limit)
        limit = limit or #events
        local taken, skipped, bad, problem, lists, counts = split(events, 0, #events, limit)
        local parts = {}
        for p, count in ipairs(counts) do
            parts[p] = {}
            for i = 1, count do
                parts[p][i] = lists[p][i]
            end
        end
        return parts, taken, skipped, bad, problem
    end

    local function modulo(n)
        return function(event)
            return event % n
        end
    end

    it("keeps the order in each partition", function()
        local split = routing.splitter({ 0, 1 }, modulo(2), no_codes)
        local parts, taken, skipped, bad = split_all(split, range(0, 9))
        assert.same({ { 0, 2, 4, 6, 8 }, { 1, 3, 5, 7, 9 } }, parts)
        assert.same({ 10, 0, 0 }, { taken, skipped, bad })
    end)

    it("starts anew with each batch", function()
        local split = routing.splitter({ 0, 1 }, modulo(2), no_codes)
        local first = select(5, split(range(1, 6), 0, 6, 6))
        local kept = first[1]
        split_all(split, range(1, 4))
        assert.same({ 2, 4, 6 }, kept)
    end)

    it("takes a range", function()
        local split = routing.splitter({ 0, 1 }, modulo(2), no_codes)
        local taken, _, _, _, lists = split(range(1, 10), 4, 3, 3)
        assert.equal(3, taken)
        assert.same({ { 6 }, { 5, 7 } }, { lists[1], lists[2] })
    end)

    it("stops when the limit is routed; what is skipped does not count", function()
        local split = routing.splitter({ "a" }, function(event)
            return event > 5 and "a" or "none"
        end, no_codes)
        local parts, taken, skipped, bad = split_all(split, range(1, 10), 2)
        assert.same({ { 6, 7 } }, parts)
        assert.same({ 7, 5, 0 }, { taken, skipped, bad })
    end)

    it("replaces events", function()
        local split = routing.splitter({ "a" }, function(event)
            return "a", event * 10
        end, no_codes)
        assert.same({ { 10, 20 } }, (split_all(split, { 1, 2 })))
    end)

    it("takes names as numbers and as text", function()
        local split = routing.splitter({ 0, 1 }, tostring, no_codes)
        assert.same({ { 0 }, { 1, 1 } }, (split_all(split, { 0, 1, 1 })))
    end)

    it("skips and counts events with a bad answer", function()
        local answers = { [1] = 7, [2] = false, [4] = "none" }
        local split = routing.splitter({ 0, 1 }, function(event)
            if event == 5 then
                error("five!", 0)
            end
            return answers[event] == nil and event ~= 6 and 0 or answers[event]
        end, no_codes)
        local parts, taken, skipped, bad, problem = split_all(split, range(1, 8))
        assert.same({ { 3, 7, 8 }, {} }, parts)
        assert.same({ 8, 5, 4 }, { taken, skipped, bad })
        assert.equal('a hash must answer one of the partitions (0, 1) or "none", got 7', problem)
    end)

    it("reports the error of a hash", function()
        local split = routing.splitter({ 0 }, function(event)
            if event == 2 then
                error("two!", 0)
            end
            return 0
        end, no_codes)
        local parts, _, skipped, bad, problem = split_all(split, range(1, 3))
        assert.same({ { 1, 3 } }, parts)
        assert.same({ 1, 1, "two!" }, { skipped, bad, problem })
    end)

    it("stops at the limit right after an error too", function()
        local split = routing.splitter({ 0 }, function(event)
            assert(event ~= 2)
            return 0
        end, no_codes)
        local parts, taken = split_all(split, range(1, 9), 2)
        assert.same({ { 1, 3 } }, parts)
        assert.equal(3, taken)
        parts, taken = split_all(split, { 1, 2, 2 }, 1)
        assert.same({ { 1 } }, parts)
        assert.equal(1, taken)
        assert.equal(3, select(2, split_all(split, { 2, 2, 2 })))
    end)

    describe("without a hash", function()
        it("spreads integers over all partitions alike", function()
            for _, step in ipairs { 1, 2, 4, 10, 1000 } do
                local split = routing.splitter({ 10, 20, 30, 40 }, nil, no_codes)
                local events = {}
                for i = 1, 4000 do
                    events[i] = i * step
                end
                for _, part in ipairs((split_all(split, events))) do
                    assert.is_true(#part > 800 and #part < 1200)
                end
            end
        end)

        it("has the rest hashed in one call", function()
            local calls = {}
            local split = routing.splitter({ 0, 1 }, nil, function(codes, events, first, last)
                calls[#calls + 1] = { #events, first, last }
                for i = first, last do
                    codes[i] = 1
                end
            end)
            local parts = split_all(split, { "a", 1.5, 7, {} })
            assert.same({ { 4, 1, 4 } }, calls)
            assert.equal(4, #parts[2])
            split_all(split, { 7, 8, "x", 9 })
            assert.same({ 4, 3, 4 }, calls[2])
        end)
    end)
end)
