-- Ranges of a file, cut at line ends: whatever the cuts and the reads, ranges side by side have each line once.
local parts = require "stagehost.source.parts"
local ranges = require "stagehost.io.range"

--- What a reader of a range gets of a file with this text, n bytes at a time.
local function read(text, from, to, n)
    local range, got = ranges.new(from, to, #text), {}
    while range:wanted(n) > 0 do
        local at = range.position
        got[#got + 1] = range:take(text:sub(at + 1, at + range:wanted(n)))
    end
    return table.concat(got)
end

--- The lines that begin in [from, to), with their ends.
local function expected(text, from, to)
    local got = {}
    for start, line in text:gmatch "()([^\n]*\n?)" do
        if start - 1 >= from and start - 1 < to then
            got[#got + 1] = line
        end
    end
    return table.concat(got)
end

describe("a range", function()
    it("has the lines that begin in it, for every range and every size of reads", function()
        for _, text in ipairs { "a\nbc\n\ndef\r\n\0\n\nlast", "\n\n\n", "one long line", "x\n" } do
            for from = 0, #text do
                for to = from, #text do
                    for _, n in ipairs { 1, 2, 3, 5, 100 } do
                        assert.equal(expected(text, from, to), read(text, from, to, n))
                    end
                end
            end
        end
    end)

    it("does not read what was added to the file", function()
        local range = ranges.new(0, 4, 4)
        assert.equal(4, range:wanted(100))
        assert.equal("a\nbc", range:take "a\nbc")
        assert.equal(0, range:wanted(100))
    end)
end)

describe("files that are dealt out", function()
    local function sizes(files, n)
        local result = {}
        for i, segments in ipairs(parts.cut(files, n)) do
            local texts = {}
            for k, segment in ipairs(segments) do
                texts[k] = ("%s %d-%d"):format(segment.path, segment.from, segment.to)
            end
            result[i] = table.concat(texts, ", ")
        end
        return result
    end

    it("make parts of equal size, in order", function()
        assert.same({ "a 0-50", "a 50-100" }, sizes({ { path = "a", size = 100 } }, 2))
        assert.same({ "a 0-10, b 0-20", "b 20-30, c 0-20", "c 20-50" },
            sizes({ { path = "a", size = 10 }, { path = "b", size = 30 }, { path = "c", size = 50 } }, 3))
        assert.same({ "a 0-5, b 0-5" }, sizes({ { path = "a", size = 5 }, { path = "b", size = 5 } }, 1))
    end)

    it("may be too small for all parts, or empty", function()
        assert.same({ "a 0-0", "a 0-0", "a 0-1" }, sizes({ { path = "a", size = 1 } }, 3))
        assert.same({ "a 0-0", "a 0-0" }, sizes({ { path = "a", size = 0 }, { path = "b", size = 0 } }, 2))
    end)
end)
