-- SPDX-License-Identifier: MIT

local dispatchers = require "stagehost.options.dispatchers"

local function nothing() end

local function refuses(value, pattern, name)
    local ok, err = pcall(dispatchers.check, value)
    assert.is_false(ok)
    assert.equal(name or "invalid_option", err.name)
    assert.matches(pattern, tostring(err))
end

describe("the dispatcher option", function()
    it("is a word or a list with options", function()
        assert.same({ kind = "demand" }, dispatchers.check "demand")
        assert.same({ kind = "broadcast" }, dispatchers.check { "broadcast" })
        assert.same({ kind = "fair" }, dispatchers.check "fair")
        assert.same({ kind = "broadcast", replay = 3 }, dispatchers.check { "broadcast", replay = 3 })
        assert.same({ kind = "demand", max_demand = 5, shuffle_demands_on_first_dispatch = true },
            dispatchers.check {
                "demand", max_demand = 5, shuffle_demands_on_first_dispatch = true,
            })
    end)

    it("refuses what it does not know", function()
        refuses("random", 'must be "broadcast", "demand", "fair", "partition" or a table of callbacks, '
            .. 'got "random"')
        refuses(5, "got 5")
        refuses({ "broadcast", max = 1 },
            'unknown option "max" of the dispatcher "broadcast" %(known: "replay"%)',
            "unknown_option")
        refuses({ "broadcast", replay = 0 }, 'option "replay" must be at least 1, got 0')
        refuses({ "demand", max_demand = 0 }, 'option "max_demand" must be at least 1, got 0')
    end)

    describe("partition", function()
        it("takes a count or names", function()
            assert.same({ kind = "partition", names = { 0, 1, 2 }, texts = { "0", "1", "2" } },
                dispatchers.check { "partition", partitions = 3 })
            assert.same({ kind = "partition", names = { 7, 8 }, texts = { "7", "8" } },
                dispatchers.check { "partition", partitions = { 7, 8 } })
            assert.same({
                kind = "partition", names = { "odd", 2 }, texts = { "odd", "2" }, hash = nothing,
            }, dispatchers.check { "partition", partitions = { "odd", 2 }, hash = nothing })
        end)

        it("takes groups and a limit", function()
            assert.same({
                kind = "partition", names = { 0 }, texts = { "0" }, groups = true, limit = 5,
                overflow = "discard", keep = "first",
            }, dispatchers.check {
                "partition", partitions = 1, groups = true, limit = 5, overflow = "discard", keep = "first",
            })
            refuses({ "partition", partitions = 1, groups = 1 }, 'option "groups" must be a boolean')
            refuses({ "partition", partitions = 1, limit = 0 }, 'option "limit" must be at least 1')
            refuses({ "partition", partitions = 1, limit = 1, overflow = "drop" },
                'option "overflow" must be one of "discard", "wait"')
            refuses({ "partition", partitions = 1, overflow = "wait" }, 'for partitions with a "limit"')
            refuses({ "partition", partitions = 1, limit = 1, keep = "last" },
                'for partitions with overflow = "discard"')
        end)

        it("needs partitions", function()
            refuses("partition", "needs the option \"partitions\"", "partitions_required")
            refuses({ "partition", hash = nothing }, "needs", "partitions_required")
            refuses({ "partition", partitions = 0 },
                'option "partitions" must be at least 1, got 0')
            refuses({ "partition", partitions = {} }, "must have at least one name")
            refuses({ "partition", partitions = "x" }, "must be a count or a list of names")
            refuses({ "partition", partitions = { a = 1 } }, "must be a count or a list of names")
        end)

        it("needs a hash for names that are no integers", function()
            refuses({ "partition", partitions = { 1, "odd" } },
                'option "hash" is required when a partition is not an integer %("odd"%)',
                "hash_required")
            assert.equal("parity", dispatchers.check { "partition", partitions = { "odd" }, hash = "parity" }.hash)
        end)

        it("takes a function or the name of a field as a hash", function()
            assert.equal("mod", dispatchers.check { "partition", partitions = 2, hash = "mod" }.hash)
            assert.equal(nothing, dispatchers.check { "partition", partitions = 2, hash = nothing }.hash)
            refuses({ "partition", partitions = 2, hash = "" },
                'option "hash" must be a function or the name of a field, got ""')
            refuses({ "partition", partitions = 2, hash = 1 },
                'option "hash" must be a function or the name of a field, got 1')
        end)

        it("has names that differ", function()
            refuses({ "partition", partitions = { 1, 1 } }, "1 appears twice")
            refuses({ "partition", partitions = { 1, "1" }, hash = nothing },
                '"1" appears twice')
            refuses({ "partition", partitions = { "none" }, hash = nothing },
                '"none" is what a hash returns')
            refuses({ "partition", partitions = { 1.5 } },
                "must be an integer or a string, got 1.5")
            refuses({ "partition", partitions = { "" } }, "must be an integer or a string")
        end)
    end)

    describe("as a table of callbacks", function()
        local function callbacks()
            return { subscribe = nothing, cancel = nothing, ask = nothing, dispatch = nothing }
        end

        it("is taken as it is", function()
            local table = callbacks()
            local result = dispatchers.check(table)
            assert.equal("custom", result.kind)
            assert.equal(table, result.callbacks)
            assert.same({ rate = 5 }, dispatchers.check({ table, rate = 5 }).options)
        end)

        it("has its callbacks", function()
            local table = callbacks()
            table.ask = nil
            refuses(table,
                'needs the callbacks "ask", "cancel", "dispatch", "subscribe" %(ask is nil%)')
            table = callbacks()
            table.credit = 5
            refuses(table, "the callback credit must be a function, got 5")
        end)
    end)
end)
