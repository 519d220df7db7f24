-- SPDX-License-Identifier: MIT

local tables = require "stagehost.options.tables"

describe("copies of tables", function()
    it("have the fields of all, and those of a later table win", function()
        local a, b = { x = 1, y = 1 }, { y = 2, [1] = "one" }
        assert.same({ x = 1, y = 2, [1] = "one" }, tables.copy(a, nil, b))
        assert.same({ x = 1, y = 1 }, a)
        assert.same({}, tables.copy(nil))
    end)

    it("are shallow, and of the table's own fields", function()
        local inner = {}
        local copy = tables.copy(setmetatable({ inner = inner }, { __index = { inherited = 1 } }))
        assert.equal(inner, copy.inner)
        assert.is_nil(copy.inherited)
        assert.is_nil(getmetatable(copy))
    end)

    it("can go into a table that is there", function()
        local into = { x = 1 }
        assert.equal(into, tables.extend(into, { y = 2 }, nil, { x = 3 }))
        assert.same({ x = 3, y = 2 }, into)
    end)

    it("leave keys to be read in order", function()
        assert.same({ 1, "a", "b" }, tables.sorted_keys { b = 1, a = 2, [1] = 3 })
        assert.same({}, tables.sorted_keys {})
    end)
end)
