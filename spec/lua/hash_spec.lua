-- SPDX-License-Identifier: MIT

--- stagehost.hash: equal values, equal places.
local ffi = require "ffi"
local stagehost = require "stagehost"

local MANY = 2 ^ 31 - 1

local function hash(value)
    return stagehost.hash(value, MANY)
end

describe("stagehost.hash", function()
    it("is the same in every run and on every machine", function()
        -- As in spec/host/hash_test.c: the upper halves of what is there, of 2^31 - 1 places.
        assert.equal(math.floor(0x873e6848 * MANY / 2 ^ 32), hash "")
        assert.equal(math.floor(0x9244b738 * MANY / 2 ^ 32), hash "customer 17")
        assert.equal(math.floor(0xb4d26cb1 * MANY / 2 ^ 32), hash(1))
        assert.equal(math.floor(0x228df6a6 * MANY / 2 ^ 32), hash(0.5))
        assert.equal(math.floor(0xac2bd2a5 * MANY / 2 ^ 32), hash(true))
        assert.equal(math.floor(0xcf293887 * MANY / 2 ^ 32), hash { "a" })
    end)

    it("goes by the value of a number", function()
        for _, equal in ipairs {
            { 1, 1.0, 1LL, 1ULL, ffi.new("int64_t", 1) },
            { 0, -0.0, 0LL },
            { -7, -7LL },
            { 2 ^ 53, 2LL ^ 53 },
            { 2 ^ 63, 2ULL ^ 63 },
            { -2 ^ 63, -(2LL ^ 62) * 2 },
            { 0 / 0, -(0 / 0), math.huge - math.huge },
        } do
            for _, value in ipairs(equal) do
                assert.equal(hash(equal[1]), hash(value), tostring(value))
            end
        end
        local different = { 1, -1, "1", true, 0.1, 0.5, math.huge, -math.huge, 0 / 0, 2LL ^ 62 + 1, 2LL ^ 62,
            2ULL ^ 63 + 1, 2ULL ^ 63, 18446744073709551615ULL, -1LL * 2, { 1 }, {}, { {} } }
        local seen = {}
        for _, value in ipairs(different) do
            assert.is_nil(seen[hash(value)], tostring(value))
            seen[hash(value)] = true
        end
    end)

    it("goes by what is in a table, in any order", function()
        local record, turned = {}, {}
        for i = 1, 50 do
            record["key" .. i], turned["key" .. 51 - i] = i, 51 - i
        end
        assert.equal(hash(record), hash(turned))
        record.key7 = 8
        assert.not_equal(hash(record), hash(turned))
        assert.equal(hash { 1, 2, { a = "x", [true] = 2.5 } },
            hash { [3] = { [true] = 2.5, a = "x" }, [1] = 1.0, [2] = 2 })
        assert.not_equal(hash { 1, 2 }, hash { 2, 1 })
        assert.not_equal(hash { { 1 }, 2 }, hash { { 2 }, 1 })
        assert.not_equal(hash { a = "b" }, hash { b = "a" })
        assert.equal(hash { "x" }, hash(setmetatable({ "x" }, { __index = { 5 } })))
    end)

    it("takes one table in several places, but none within itself", function()
        local shared = { 1 }
        assert.equal(hash { { 1 }, { 1 }, x = { 1 } }, hash { shared, shared, x = shared })
        local loop = { 1 }
        loop.deep = { { inner = loop } }
        assert.error_matches(function() hash(loop) end,
            'a table that contains itself has no hash %(in the field "inner"%)')
        local nested = {}
        for _ = 1, 99 do
            nested = { nested }
        end
        assert.is_number(hash(nested))
        assert.error_matches(function() hash { nested } end, "a table nested more than 100 deep has no hash")
        local wide = {}
        for _ = 1, 60 do
            wide = { wide, wide }
        end
        assert.error_matches(function() hash(wide) end, "a table of more than 1048576 values has no hash")
    end)

    it("goes by the stage or subscription of a handle", function()
        local self = stagehost.self()
        assert.equal(hash(self), hash(stagehost.self()))
        assert.equal(hash { self }, hash { self })
    end)

    it("refuses what has no value, and says what it is", function()
        for text, value in pairs {
            ["a function has no hash"] = print,
            ["a thread has no hash"] = coroutine.create(print),
            ["a userdata that is no handle has no hash"] = io.stdout,
            ["a cdata that is no 64%-bit integer has no hash"] = ffi.new "int[1]",
            ['a function has no hash %(in the field "two"%)'] = { one = 1, two = { print } },
        } do
            assert.error_matches(function() hash(value) end, "bad argument #1 to '.-' %(" .. text .. "%)")
        end
        assert.error_matches(function() hash(nil) end, "nil has no hash")
        assert.error_matches(function() stagehost.hash() end, "value expected")
    end)

    it("wants a number of places", function()
        assert.equal(0, stagehost.hash("x", 1))
        for _, n in ipairs { 0, -1, 1.5, 2 ^ 31, "x" } do
            assert.error_matches(function() stagehost.hash(1, n) end, "bad argument #2")
        end
        assert.error_matches(function() stagehost.hash(1) end, "bad argument #2")
    end)

    it("spreads", function()
        local counts = {}
        for i = 1, 10000 do
            for _, value in ipairs { i, "user" .. i, { id = i } } do
                local place = stagehost.hash(value, 10)
                counts[place] = (counts[place] or 0) + 1
            end
        end
        for place = 0, 9 do
            assert.is_true(counts[place] > 2700 and counts[place] < 3300)
        end
    end)

    it("is the same on every worker", function()
        local values = { 1, 1.5, "text", true, { id = 7, tags = { "a", "b" } }, 2LL ^ 60 }
        local places = {}
        for i, value in ipairs(values) do
            places[i] = hash(value)
        end
        local task = assert(stagehost.task({ worker = stagehost.workers() - 1 }, function(list, n)
            local found = {}
            for i, value in ipairs(list) do
                found[i] = require("stagehost").hash(value, n)
            end
            return found
        end, values, MANY))
        assert.same(places, (assert(task:await())))
    end)
end)
