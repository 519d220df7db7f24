-- SPDX-License-Identifier: MIT

--- Pipelines on the command line.
local command = require "spec.support.command"

local LONGEST = 120

--- The lines of a text, sorted.
local function sorted(text)
    local lines = {}
    for line in text:gmatch "[^\n]+" do
        lines[#lines + 1] = line
    end
    table.sort(lines)
    return lines
end

--- Runs a one-liner, which may have at most 120 characters, with text on its standard input.
local function run(line, text)
    assert.is_true(#line < LONGEST, #line .. " characters")
    local result = command.run((line:gsub("^stagehost", "$S")) .. " <text", { text = text or "" })
    assert.equal("", result.err)
    assert.equal(0, result.status)
    return result.out
end

--- The example of a document that begins with these words.
local function example(path, start)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    local from = assert(text:find(start, 1, true), path)
    return text:sub(from, text:find("\n", from, true) - 1)
end

describe("a one-liner", function()
    local COUNT = [[stagehost -e 'pipeline{source.lines"-",flat_map(function(l)return l:gmatch"%S+"end),]]
        .. [[count(),sink.print()}:run()']]

    it("counts words", function()
        local out = run(COUNT, "the cat and the dog\nthe end\n")
        assert.same({ the = 3, cat = 1, ["and"] = 1, dog = 1, ["end"] = 1 },
            require("stagehost").codec.json.decode(out))
    end)

    it("is the one of the documents", function()
        for _, path in ipairs { "README.md", "bindings/command/stagehost.1" } do
            assert.equal(COUNT .. " <FILE", example(path, "stagehost -e 'pipeline{source.lines\"-\",flat_map("))
        end
    end)

    it("filters lines", function()
        assert.equal("ERR a\nx ERR\n", run([[stagehost -e 'pipeline{source.lines"-",filter(function(s)]]
            .. [[return s:find"ERR"end),sink.print()}:run()']], "ERR a\nok\nx ERR\n"))
    end)

    it("is in the help", function()
        local line = command.run("$S --help").out:match "\n  (stagehost %-e .-) <FILE\n"
        assert.equal("ABC\n", run(line, "abc\n"))
    end)

    it("works on JSON", function()
        assert.equal("1\n2\n", run([[stagehost -e 'pipeline{source.lines"-",codec.json.decoder(),]]
            .. [[map(function(e)return e.n end),sink.print()}:run()']], '{"n":1}\n{"n":2}\n'))
    end)

    it("has the module on every worker", function()
        assert.same({ "1 x", "1 y" }, sorted(run([[stagehost -w2 -e 'pipeline{source.lines"-",{map(function(l)]]
            .. [[return worker().." "..l end),worker=1},sink.print()}:run()']], "x\ny\n")))
    end)

    it("leaves globals of its own alone, and unknown ones nil", function()
        assert.equal("mine\tnil\tstring\n", run(
            [[stagehost -e 'map="mine" print(map, nothing, type(stagehost._VERSION))']]))
        local result = command.run "$S -e 'nothing()'"
        assert.equal(70, result.status)
        assert.matches("attempt to call global 'nothing' %(a nil value%)", result.err)
        assert.equal("nil\n", command.run([[$S x.lua]], { ["x.lua"] = "print(pipeline)" }).out)
    end)

    it("fails with its pipeline", function()
        local result = command.run [[$S -e 'pipeline{source.lines"/no/such",sink.print()}:run()']]
        assert.equal(70, result.status)
        assert.matches("cannot read /no/such", result.err)
    end)
end)
