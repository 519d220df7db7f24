-- SPDX-License-Identifier: MIT

local routing = require "stagehost.engine.routing"
local stagehost = require "stagehost"

local function range(first, last)
    local list = {}
    for i = first, last do
        list[#list + 1] = i
    end
    return list
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
        local taken, skipped, bad, problem, lists, counts, refused = split(events, 0, #events, limit)
        local parts = {}
        for p = 1, #lists do
            parts[p] = {}
            for i = 1, counts[p] do
                parts[p][i] = lists[p][i]
            end
        end
        return parts, taken, skipped, bad, problem, refused
    end

    local function modulo(n)
        return function(event)
            return event % n
        end
    end

    it("keeps the order in each partition", function()
        local split = routing.splitter({ 0, 1 }, modulo(2))
        local parts, taken, skipped, bad = split_all(split, range(0, 9))
        assert.same({ { 0, 2, 4, 6, 8 }, { 1, 3, 5, 7, 9 } }, parts)
        assert.same({ 10, 0, 0 }, { taken, skipped, bad })
    end)

    it("starts anew with each batch", function()
        local split = routing.splitter({ 0, 1 }, modulo(2))
        local first = select(5, split(range(1, 6), 0, 6, 6))
        local kept = first[1]
        split_all(split, range(1, 4))
        assert.same({ 2, 4, 6 }, kept)
    end)

    it("takes a range", function()
        local split = routing.splitter({ 0, 1 }, modulo(2))
        local taken, _, _, _, lists = split(range(1, 10), 4, 3, 3)
        assert.equal(3, taken)
        assert.same({ { 6 }, { 5, 7 } }, { lists[1], lists[2] })
    end)

    it("stops when the limit is routed; what is skipped does not count", function()
        local split = routing.splitter({ "a" }, function(event)
            return event > 5 and "a" or "none"
        end)
        local parts, taken, skipped, bad = split_all(split, range(1, 10), 2)
        assert.same({ { 6, 7 } }, parts)
        assert.same({ 7, 5, 0 }, { taken, skipped, bad })
    end)

    it("replaces events", function()
        local split = routing.splitter({ "a" }, function(event)
            return "a", event * 10
        end)
        assert.same({ { 10, 20 } }, (split_all(split, { 1, 2 })))
    end)

    it("takes names as numbers and as text", function()
        local split = routing.splitter({ 0, 1 }, tostring)
        assert.same({ { 0 }, { 1, 1 } }, (split_all(split, { 0, 1, 1 })))
    end)

    it("skips and counts events with a bad answer", function()
        local answers = { [1] = print, [2] = coroutine.create(print), [4] = "none" }
        local split = routing.splitter({ 0, 1 }, function(event)
            if event == 5 then
                error("five!", 0)
            end
            return event ~= 6 and (answers[event] or 0) or nil
        end)
        local parts, taken, skipped, bad, problem, refused = split_all(split, range(1, 8))
        assert.same({ { 3, 7, 8 }, {} }, parts)
        assert.same({ 8, 5, 4 }, { taken, skipped, bad })
        assert.same({ 1, 2, 5, 6 }, refused)
        assert.equal("the hash returned a function for event 1 of 8; it must return one of the partitions (0, 1), "
            .. '"none", or a value to spread events by: a function has no hash', problem)
    end)

    it("says what is wrong with an answer", function()
        for answer, pattern in pairs {
            ["return"] = 'returned nil for event 1 of 1; it must return one of the partitions %(0, 1%), "none", '
                .. "or a value to spread events by$",
            ["return io.stdout"] = "a userdata that is no handle has no hash$",
            ["return { { fn = print } }"] = 'a function has no hash %(in the field "fn"%)$',
            ["return require('ffi').new 'int[2]'"] = "a cdata that is no 64%-bit integer has no hash$",
            ["local t = {} t.a = { b = t } return t"] =
                'a table that contains itself has no hash %(in the field "b"%)$',
            ["error('oops', 0)"] = "^the hash failed with event 1 of 1: oops$",
        } do
            local split = routing.splitter({ 0, 1 }, loadstring(answer))
            local _, _, skipped, bad, problem = split_all(split, { 5 })
            assert.same({ 1, 1 }, { skipped, bad })
            assert.matches(pattern, problem)
        end
    end)

    it("spreads events by any other answer", function()
        local names = { 0, 1, 2, 3 }
        local answers = { 4, -1, 2 ^ 40, 1.5, 1 / 0, 0 / 0, "user7", "", "4", true, false, {}, { "a", { x = 1 } },
            5LL, 2LL ^ 62, 2ULL ^ 63 }
        local answer
        local split = routing.splitter(names, function() return answer end)
        for _, value in ipairs(answers) do
            answer = value
            local parts = split_all(split, { "event" })
            assert.same({ "event" }, parts[stagehost.hash(value, 4) + 1], tostring(value))
        end
    end)

    it("takes a number for the partition of that name, whatever its type", function()
        local large = 2 ^ 40
        local split = routing.splitter({ 7, large, -3 }, function(event) return event end)
        local parts = split_all(split, { 7, 7LL, 7ULL, "7", large, 1099511627776LL, -3, -3LL, -3.0 })
        assert.equal(4, #parts[1])
        assert.equal(2, #parts[2])
        assert.equal(3, #parts[3])
    end)

    it("stays in the limit with what is spread", function()
        local split = routing.splitter({ 0, 1, 2 }, function(event) return "key" .. event end)
        local parts, taken = split_all(split, range(1, 100), 40)
        assert.equal(40, taken)
        assert.equal(40, #parts[1] + #parts[2] + #parts[3])
    end)

    it("refuses what is none of the partitions, if these have names", function()
        local split = routing.splitter({ "odd", "even", 7 }, function(event) return event end)
        local parts, taken, skipped, bad, problem, refused = split_all(split, { "odd", "evne", 7, "none", 3, {}, nil })
        assert.same({ { "odd" }, {}, { 7 } }, parts)
        assert.same({ 6, 4, 3 }, { taken, skipped, bad })
        assert.same({ "evne", 3, {} }, refused)
        assert.equal('the hash returned "evne" for event 2 of 6; it must return one of the partitions (odd, even, 7) '
            .. 'or "none"', problem)
        split = routing.splitter({ "odd", "even" }, "parity")
        problem = select(5, split_all(split, { { parity = "odd" }, { parity = 5 } }))
        assert.equal('the field "parity" of event 2 of 2 is 5; it must be one of the partitions (odd, even)', problem)
        problem = select(5, split_all(split, { { parity = "none" } }))
        assert.equal('the field "parity" of event 1 of 1 is "none"; it must be one of the partitions (odd, even)',
            problem)
    end)

    describe("by a field", function()
        it("is one by a function that returns it", function()
            local events = {}
            for i = 1, 1000 do
                events[i] = { key = i % 3 == 0 and i % 7 or "user" .. i % 13 }
            end
            local by_name = routing.splitter({ 0, 1, 2, 3 }, "key")
            local by_function = routing.splitter({ 0, 1, 2, 3 }, function(event) return event.key end)
            local parts = split_all(by_name, events)
            assert.same(split_all(by_function, events), parts)
            for p = 1, 4 do
                assert.is_true(#parts[p] > 100)
            end
        end)

        it("refuses events that do not have it", function()
            local split = routing.splitter({ 0, 1 }, "len")
            local parts, taken, skipped, bad, problem = split_all(split,
                { { len = 1 }, { other = 1 }, { len = "none" } })
            local of_none = stagehost.hash("none", 2) + 1
            assert.equal("none", parts[of_none][#parts[of_none]].len) -- data, not an answer
            assert.same({ 3, 1, 1 }, { taken, skipped, bad })
            assert.equal('event 2 of 3 has no field "len"', problem)
            problem = select(5, split_all(split, { "a string, which has a method of that name" }))
            assert.equal('event 1 of 1 is a string, which has no field "len"', problem)
            problem = select(5, split_all(split, { { len = print } }))
            assert.equal('the field "len" of event 1 of 1 is a function; it must be one of the partitions (0, 1) '
                .. 'or a value to spread events by: a function has no hash', problem)
        end)
    end)

    it("reports the error of a hash", function()
        local split = routing.splitter({ 0 }, function(event)
            if event == 2 then
                error("two!", 0)
            end
            return 0
        end)
        local parts, _, skipped, bad, problem = split_all(split, range(1, 3))
        assert.same({ { 1, 3 } }, parts)
        assert.same({ 1, 1, "the hash failed with event 2 of 3: two!" }, { skipped, bad, problem })
    end)

    it("stops at the limit right after an error too", function()
        local split = routing.splitter({ 0 }, function(event)
            assert(event ~= 2)
            return 0
        end)
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
                local split = routing.splitter({ 10, 20, 30, 40 }, nil)
                local events = {}
                for i = 1, 4000 do
                    events[i] = i * step
                end
                for _, part in ipairs((split_all(split, events))) do
                    assert.is_true(#part > 800 and #part < 1200)
                end
            end
        end)

        it("spreads every event by its value", function()
            local split = routing.splitter({ 0, 1, 2, 3 })
            local events = { 0, 1, 2, 3, "a", 1.5, 7, {}, true, { id = 1 }, "none", 9, 2LL, { id = 1 } }
            local parts, taken, skipped, bad = split_all(split, events)
            assert.same({ #events, 0, 0 }, { taken, skipped, bad })
            local expected = { {}, {}, {}, {} }
            for _, event in ipairs(events) do
                table.insert(expected[stagehost.hash(event, 4) + 1], event)
            end
            assert.same(expected, parts)
        end)

        it("takes a range, up to a limit", function()
            local split = routing.splitter { 0 }
            local taken, _, _, _, lists = split({ {}, { 1 }, "x", { 2 }, { 3 } }, 1, 3, 2)
            assert.equal(2, taken)
            assert.same({ { 1 }, "x" }, lists[1])
            taken, _, _, _, lists = split({ {}, { 1 }, "x", { 2 }, { 3 } }, 3, 2, 9)
            assert.equal(2, taken)
            assert.same({ { 2 }, { 3 } }, lists[1])
        end)

        it("refuses what has no hash, and that alone", function()
            local split = routing.splitter { 0, 1 }
            local odd = { 1, callback = print }
            local parts, taken, skipped, bad, problem, refused = split_all(split, { 1, { 1 }, odd, { 2 }, print, "x" })
            assert.equal(4, #parts[1] + #parts[2])
            assert.same({ 6, 2, 2 }, { taken, skipped, bad })
            assert.same({ odd, print }, refused)
            assert.equal("event 3 of 6 can't be spread by its value: a function has no hash "
                .. '(in the field "callback")', problem)
        end)
    end)
end)
