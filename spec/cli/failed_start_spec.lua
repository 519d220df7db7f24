-- SPDX-License-Identifier: MIT

--- Starts that fail, in scripts that do not look.
local command = require "spec.support.command"

local FAILS = 'local s = require "stagehost"\n'
    .. 'local Fails = s.producer { init = function() return s.stop("no disk") end }\n'
local LOGGED = "script.lua:3: a stage did not start, and the script does not look at the result: no disk"

local function run(text)
    return command.run("timeout 20 $S script.lua", { ["script.lua"] = FAILS .. text })
end

local function count(text, what)
    local _, n = text:gsub(what:gsub("%p", "%%%0"), "")
    return n
end

describe("a start that fails", function()
    local dropped = {
        "s.start(Fails)",
        "s.start(Fails, (function() return {} end)())",
        's.start(Fails, {\n  name = "x",\n})',
        's.pipeline { stages = { { name = "a", stage = Fails, on_error = "stop" } } }:start()',
        'for _ = 1, 1 do local start = s; start.start(Fails) end',
    }
    for _, text in ipairs(dropped) do
        it("is logged once when the script drops its results: " .. text:gsub("\n", " "), function()
            local result = run(text)
            assert.equal(1, count(result.err, "does not look at the result"), result.err)
            assert.matches("no disk", result.err, 1, true)
        end)
    end

    it("is logged with its place", function()
        assert.equal(1, count(run("s.start(Fails)").err, LOGGED))
    end)

    local looked_at = {
        "local stage, message = s.start(Fails) print(message)",
        "print(s.start(Fails))",
        "if not s.start(Fails) then print(1) end",
        "(function() return s.start(Fails) end)()",
        "pcall(s.start, Fails)",
        "assert(s.start(Fails))",
        "s.start(s.producer { init = function() return s.ignore end })",
        "assert(not s.start(Fails)) print()",
    }
    for _, text in ipairs(looked_at) do
        it("is not logged otherwise: " .. text, function()
            assert.equal(0, count(run(text).err, "does not look at the result"))
        end)
    end
end)

describe("nil in subscribe_to", function()
    local cases = {
        ["s.start(s.sink.print(), { subscribe_to = { (s.start(Fails)) } })"] = 1,
        ["s.start(s.sink.print(), { subscribe_to = { s.start(Fails) } })"] = 1,
        ["local source = s.start(Fails)\ns.start(s.sink.print(), { subscribe_to = { source } })"] = 1,
        ["local a = s.start(s.source.list { 1 })\nlocal b = s.start(Fails)\n"
            .. "s.start(s.sink.print(), { subscribe_to = { a, b, a } })"] = 2,
    }
    for text, place in pairs(cases) do
        it("after a start that failed is an error that names it: " .. text:gsub("\n", " "), function()
            local result = run(text)
            assert.equal(70, result.status)
            assert.matches(('option "subscribe_to": element %d is nil; the last start before it failed: no disk')
                :format(place), result.err:gsub('\\"', '"'), 1, true)
        end)
    end

    it("is none in an empty list of a script whose starts succeed", function()
        local result = run("assert(s.start(s.source.list { 1 })):kill()\n"
            .. "assert(s.start(s.sink.print(), { subscribe_to = {} })):kill()")
        assert.equal("", result.err)
    end)
end)
