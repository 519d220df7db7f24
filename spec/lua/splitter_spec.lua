-- Lines out of chunks: whatever the chunks, the lines are the same.
local splitters = require "stagehost.core.text"

local function strings(list)
    return list and list:table() or {}
end

local function split(chunks, options)
    local splitter = splitters.splitter(options and options.keep_cr or false)
    local lines = {}
    for _, chunk in ipairs(chunks) do
        for _, line in ipairs(strings(splitter:feed(chunk))) do
            lines[#lines + 1] = line
        end
    end
    lines[#lines + 1] = strings(splitter:finish())[1]
    return lines
end

local function cut(text, size)
    local chunks = {}
    for first = 1, #text, size do
        chunks[#chunks + 1] = text:sub(first, first + size - 1)
    end
    return chunks
end

describe("splitter", function()
    it("emits what is complete and keeps the rest", function()
        local splitter = splitters.splitter(false)
        assert.same({ "a", "b" }, strings(splitter:feed "a\nb\nc"))
        assert.equal(1, splitter:kept())
        assert.same({ "cd" }, strings(splitter:feed "d\n"))
        assert.equal(0, splitter:kept())
        assert.is_nil(splitter:finish())
    end)

    it("emits the last line without a newline once", function()
        local splitter = splitters.splitter(false)
        splitter:feed "a\nrest"
        assert.same({ "rest" }, strings(splitter:finish()))
        assert.is_nil(splitter:finish())
    end)

    it("gives no line for no text, and an empty one for a newline", function()
        assert.same({}, split {})
        assert.same({}, split { "" })
        assert.same({ "" }, split { "\n" })
        assert.same({ "", "", "x" }, split { "\n\nx" })
        assert.same({ "x" }, split { "x\n", "" })
    end)

    it("takes the carriage return of CRLF, also across chunks, and no other", function()
        assert.same({ "a", "b", "c" }, split { "a\r\nb\nc\r\n" })
        assert.same({ "a", "b" }, split { "a\r", "\nb\r\n" })
        assert.same({ "a\rb", "c\r" }, split { "a\rb\r\nc\r\r\n" })
        assert.same({ "", "" }, split { "\r\n", "\r", "\n" })
        assert.same({ "end\r" }, split { "end\r" })
    end)

    it("leaves it with keep_cr", function()
        assert.same({ "a\r", "b", "c\r" }, split({ "a\r\nb\nc\r", "\n" }, { keep_cr = true }))
    end)

    it("keeps bytes of any value", function()
        local line = {}
        for i = 0, 255 do
            line[#line + 1] = i ~= 10 and string.char(i) or ""
        end
        line = table.concat(line)
        assert.same({ line, line }, split { line .. "\n" .. line })
    end)

    it("does not depend on where the chunks are cut", function()
        math.randomseed(7)
        for _ = 1, 300 do
            local expected, parts = {}, {}
            for i = 1, math.random(0, 12) do
                expected[i] = ("xyz"):rep(math.random(0, 5))
                parts[i] = expected[i] .. (math.random(2) == 1 and "\n" or "\r\n")
            end
            local last = math.random(2) == 1 and "tail" or nil
            expected[#expected + 1] = last
            local text = table.concat(parts) .. (last or "")
            for _, size in ipairs { 1, 2, 3, 7, 64 } do
                assert.same(expected, split(cut(text, size)))
            end
        end
    end)

    it("joins a very long line in linear time", function()
        local chunk, n = ("x"):rep(65536), 512
        local splitter = splitters.splitter(false)
        local started = os.clock()
        for _ = 1, n do
            assert.is_nil(splitter:feed(chunk))
        end
        local lines = splitter:feed "\n"
        assert.equal(n * 65536, #lines[1])
        assert.is_true(os.clock() - started < 5)
    end)
end)
