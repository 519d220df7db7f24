-- SPDX-License-Identifier: MIT

--- The operators as functions: on packed lists and on tables, and their errors.
local stagehost = require "stagehost"

local text = stagehost.text

--- The same results of a table and of a packed list, as a table.
local function both(operator, list, ...)
    local of_table, of_packed = operator(list, ...), operator(text.pack(list), ...)
    assert.same(of_table:table(), of_packed:table())
    assert.equal(("packed list<%d strings>"):format(#of_packed), tostring(of_packed))
    return of_packed:table()
end

local function raises(message, f, ...)
    local ok, err = pcall(f, ...)
    assert.is_false(ok)
    assert.equal(message, (tostring(err):gsub("^.-:%d+: ", "")))
end

describe("text.lines", function()
    it("cuts a whole text", function()
        assert.same({ "a", "b", "", "c" }, both(text.lines, { "a\nb\r", "\n\nc" }))
        assert.same({ "a\r", "b" }, both(text.lines, { "a\r\nb" }, { keep_cr = true }))
        assert.same({ "a", "b\r" }, text.lines("a\r\nb\r"):table())
        assert.same({}, text.lines(""):table())
    end)

    it("cuts chunks one after the other with a splitter", function()
        local splitter = text.splitter()
        assert.is_nil(splitter:feed "a")
        assert.same({ "ab", "c" }, splitter:feed("b\nc\nd"):table())
        assert.same({ "de" }, splitter:feed(text.pack { "e", "", "\nf" }):table())
        assert.equal(1, splitter:kept())
        assert.same({ "f" }, splitter:finish():table())
        assert.is_nil(splitter:finish())
    end)
end)

describe("text.split", function()
    it("returns all fields of all strings", function()
        assert.same({ "a", "b", "", "c", "" }, both(text.split, { "a,b,", "c", "" }, ","))
        assert.same({ "a", "b", "c" }, both(text.split, { " a  b", "\tc ", "" }))
        assert.same({ "a", "b=c" }, both(text.split, { "a==b=c" }, { separator = "==" }))
    end)

    it("returns one field of the strings that have it", function()
        assert.same({ "b", "" }, both(text.split, { "a,b", "c", "d,,e" }, { separator = ",", field = 2 }))
    end)
end)

describe("text.field", function()
    it("returns a field for each string", function()
        assert.same({ "b", "", "" }, both(text.field, { "a,b", "c", "d,,e" }, { separator = ",", field = 2 }))
        assert.same({ "b", "", "d" }, both(text.field, { "a b", "c", " x  d\t e" }, 2))
        assert.same({}, both(text.field, {}, 2))
    end)
end)

describe("text.select", function()
    it("keeps the strings that contain a text", function()
        assert.same({ "a.b" }, both(text.select, { "a.b", "axb", "" }, "a.b"))
        assert.same({ "axb", "" }, both(text.select, { "a.b", "axb", "" }, { contains = "a.b", invert = true }))
        assert.same({ "x\0y" }, both(text.select, { "x\0y", "xy" }, "\0"))
    end)

    it("keeps the strings in which a pattern is found", function()
        assert.same({ "a.b", "axb" }, both(text.select, { "a.b", "axb", "" }, { pattern = "a.b" }))
        assert.same({ "f(x(y))z" }, both(text.select, { "f(x(y))z", "f(x(y)z" }, { pattern = "^%a%b()z$" }))
        assert.same({ "" }, both(text.select, { "a.b", "axb", "" }, { pattern = ".", invert = true }))
    end)

    it("compiles more patterns than it keeps", function()
        for i = 1, 250 do
            assert.same({ "n" .. i }, both(text.select, { "n" .. i, "m" .. i }, { pattern = "^n%d*" .. i % 10 .. "$" }))
            assert.same({ "n" .. i }, both(text.select, { "n" .. i, "m" .. i }, { pattern = "^n" .. i .. "$" }))
        end
    end)

    it("gives up a search that has no end", function()
        raises("string 2 of 2: the search for the pattern takes too many steps", text.select,
            { "a", ("a"):rep(30000) }, { pattern = ".-.-.-.-.-.-[bc]" })
    end)
end)

describe("text.hash", function()
    it("is stagehost.hash of each string or field", function()
        local list, whole, second = {}, {}, {}
        for i = 1, 50 do
            local key = ("k"):rep(i % 17) .. i
            list[i] = "x," .. key
            whole[i], second[i] = stagehost.hash(list[i], 7), stagehost.hash(key, 1000)
        end
        assert.same(whole, text.hash(list, 7))
        assert.same(second, text.hash(text.pack(list), { partitions = 1000, field = 2, separator = "," }))
    end)
end)

describe("text.count_by", function()
    it("counts strings and fields over many lists", function()
        local counts = text.count_by { "b", "a", "b" }
        assert.equal(counts, text.count_by(text.pack { "c a", "d" }, 2, counts))
        assert.same({ { "b", 2 }, { "a", 2 }, { "", 1 } }, counts:list())
        assert.same({ b = 2, a = 2, [""] = 1 }, counts:table())
        assert.equal(3, #counts)
        local others = text.count_by({ "x:b" }, { field = 2, separator = ":" })
        counts:merge(others)
        assert.same({ b = 3, a = 2, [""] = 1 }, counts:table())
    end)
end)

describe("mistakes in calls of stagehost.text", function()
    it("name the operator and the option", function()
        raises('text.field: the option "field" is required', text.field, { "a" })
        raises('unknown option "feld" of text.field: did you mean "field"? (known: "field", "separator")', text.field,
            { "a" }, { feld = 1 })
        raises('option "field" must be at least 1, got 0', text.field, { "a" }, 0)
        raises('option "separator" must be a string of at least one byte, got ""', text.split, { "a" }, "")
        raises('text.hash: the option "partitions" is required', text.hash, { "a" }, { field = 1 })
        raises('text.count_by: the option "separator" is read with "field" only', text.count_by, { "a" },
            { separator = "," })
        raises("text.split: the options must be a table or a string (separator), got 5", text.split, { "a" }, 5)
        raises("text.lines: the options must be a table, got 5", text.lines, "a", 5)
        raises('text.select: one of the options "contains" and "pattern" is required, and not both', text.select,
            { "a" }, { contains = "a", pattern = "b" })
        raises("text.select: option \"pattern\": malformed pattern (ends with '%'), in \"a%\"", text.select, { "a" },
            { pattern = "a%" })
    end)

    it("name what is no list of strings", function()
        raises("text.select: expected a packed list or a table of strings, got nil", text.select, nil, "x")
        raises("text.split: element 2 of 2 is a number: only strings can be packed", text.split, { "a", 1 }, ",")
        assert.error_matches(function() text.field(io.stdout, 1) end, "expected a packed list")
    end)
end)
