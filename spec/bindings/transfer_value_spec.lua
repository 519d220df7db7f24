-- SPDX-License-Identifier: MIT
local fixture = require "spec.bindings.transfer_fixture"

local move, value_error = fixture.move_value, fixture.value_error

-- Moves the value, then runs `check` on the target, where it is `got`.
local function arrives(code, check, ...)
    move(code)
    assert.same({ ... }, { fixture.to:run(check) })
end

-- In both states: a module "shapes", as a file would define it.
local SHAPES = [[
    package.preload.shapes = function()
        local M = { Square = {}, unit = { 1 }, count = 0 }
        M.Square.__index = M.Square
        function M.Square.area(self) return self.side ^ 2 end
        function M.square(side) return setmetatable({ side = side }, M.Square) end
        return M
    end]]

describe("transfer of a value", function()
    before_each(function()
        fixture.setup()
        fixture.from:run(SHAPES)
        fixture.to:run(SHAPES)
    end)
    after_each(fixture.teardown)

    describe("that is data", function()
        it("keeps it", function()
            for _, code in ipairs { "nil", "false", "7", "'x'", "{}", "{ 1, { x = false } }" } do
                move("return " .. code)
                assert.equal(fixture.from:run("return describe(" .. code .. ")"),
                    fixture.to:run "return describe(got)")
            end
        end)

        it("keeps shared tables shared", function()
            arrives("local t = {} return { a = t, b = { t } , [t] = t }",
                "return got.a == got.b[1] and got[got.a] == got.a", true)
        end)

        it("keeps cycles", function()
            arrives("local t = {} t.t, t[1] = t, { t } t[t] = 5 return t",
                "return got.t == got and got[1][1] == got, got[got]", true, 5)
        end)

        it("takes any depth", function()
            arrives("local t for i = 1, 1e5 do t = { i, t } end return t",
                "local n = 0 while got do got, n = got[2], n + 1 end return n", 1e5)
        end)

        it("carries handles, the same one once", function()
            arrives("local s = stage(3) return { s, { s, subscription(1) } }",
                [[return handle_name(got[1]), got[1] == got[2][1], handle_name(got[2][2])]],
                "stage 3", true, "subscription 1")
        end)

        it("carries metatables", function()
            arrives([[
                local Class = { __tostring = function(self) return "a " .. self.name end }
                Class.__index = Class
                Class.__metatable = "locked"
                local function new(name) return setmetatable({ name = name }, Class) end
                return { new "x", new "y" }]],
                [[return tostring(got[1]), tostring(got[2]),
                    debug.getmetatable(got[1]) == debug.getmetatable(got[2])]],
                "a x", "a y", true)
        end)

        it("keeps errors errors", function()
            arrives([[return setmetatable({ name = "oops" },
                    debug.getregistry()["stagehost.error"])]],
                [[return getmetatable(got) == debug.getregistry()["stagehost.error"], got.name]],
                true, "oops")
        end)
    end)

    describe("with functions", function()
        it("copies upvalues of every type", function()
            arrives([[
                local a, b, c, d, e = nil, false, 1.5, "x", { 1 }
                return function() return a, b, c, d, e[1], -1LL end]],
                "local t = { got() } return t[1], t[2], t[3], t[4], t[5], tostring(t[6])",
                nil, false, 1.5, "x", 1, "-1LL")
        end)

        it("keeps shared upvalues shared", function()
            arrives([[
                local n = 0
                return { up = function() n = n + 1 end, get = function() return n end }]],
                "got.up() got.up() return got.get()", 2)
        end)

        it("shares them through nested functions, too", function()
            arrives([[
                local n, log = 0, {}
                local function up() n = n + 1 log[#log + 1] = n end
                return { up = function() return (function() up() return n end)() end,
                    log = log, size = function() return #log, n end }]],
                "got.up() got.up() return #got.log, got.size()", 2, 2, 2)
        end)

        it("keeps closures of one text apart", function()
            arrives([[
                local function counter() local n = 0 return function() n = n + 1 return n end end
                return { counter(), counter() }]],
                "got[1]() got[1]() return got[1](), got[2]()", 3, 1)
        end)

        it("keeps the same function the same", function()
            arrives("local function f() end return { f, { f } , [f] = 1 }",
                "return got[1] == got[2][1], got[got[1]]", true, 1)
        end)

        it("keeps functions that call themselves and each other", function()
            arrives([[
                local is_odd
                local function is_even(n) return n == 0 or is_odd(n - 1) end
                function is_odd(n) return n ~= 0 and is_even(n - 1) end
                local function fib(n) return n < 2 and n or fib(n - 1) + fib(n - 2) end
                return { is_even = is_even, fib = fib }]],
                "return got.is_even(10), got.is_even(7), got.fib(20)", true, false, 6765)
        end)

        it("keeps tables and functions that refer to each other", function()
            arrives([[
                local M = {}
                function M.new() return setmetatable({ n = 1 }, { __index = M }) end
                function M.self() return M end
                return M]],
                "return got.self() == got, got.new().self() == got", true, true)
        end)

        it("copies functions that the compiler has worked on", function()
            arrives([[
                local function sum(t)
                    local s = 0
                    for _, v in pairs(t) do s = s + v end
                    for i = 1, #t do s = s + t[i] end
                    local i = 1
                    while t[i] do s, i = s + t[i], i + 1 end
                    return s
                end
                for _ = 1, 500 do sum({ 1, 2, 3 }) end
                return sum]],
                "local s for _ = 1, 500 do s = got({ 1, 2, 3 }) end return s", 18)
        end)

        it("sees the globals of the target", function()
            fixture.from:run "name = 'from'"
            fixture.to:run "name = 'to'"
            arrives("return function() return name, _G end",
                "local name, g = got() return name, g == _G", "to", true)
        end)

        it("takes an environment of its own along", function()
            arrives([[
                local env = setmetatable({ x = 1 }, { __index = _G })
                local f = setfenv(function() x = x + 1 return x end, env)
                local g = setfenv(function() return type(x), x end, env)
                return { f, g }]],
                "got[1]() return got[2]()", "number", 2)
            assert.equal(nil, fixture.to:run "return x")
        end)

        it("keeps names and lines for tracebacks", function()
            arrives("\n\nreturn function() error 'here' end",
                "return select(2, pcall(got))", "spec:3: here")
        end)

        it("copies functions without debug information", function()
            arrives([[
                local a, b = 1, { 2 }
                local f = load(string.dump(function() return a, b[1] end, true))
                debug.setupvalue(f, 1, a)
                debug.setupvalue(f, 2, b)
                return f]],
                "return got()", 1, 2)
        end)
    end)

    describe("names", function()
        it("the standard library", function()
            arrives([[
                local format, ffi, insert = string.format, require "ffi", table.insert
                return { p = print, s = string, g = _G, out = io.stdout, C = ffi.C,
                    f = function() return format, ffi, insert end }]],
                [[local format, ffi, insert = got.f()
                return got.p == print and got.s == string and got.g == _G
                    and got.out == io.stdout and got.C == require("ffi").C
                    and format == string.format and ffi == require "ffi"
                    and insert == table.insert]], true)
        end)

        it("modules, and loads them on the target", function()
            assert.equal(nil, fixture.to:run "return package.loaded.shapes")
            arrives("local shapes = require 'shapes' return function() return shapes end",
                "return got() == require 'shapes'", true)
        end)

        it("what modules hold", function()
            arrives([[
                local shapes = require "shapes"
                local square, area = shapes.square, shapes.Square.area
                return { f = function() return square, area end, box = square(3) }]],
                [[local shapes, square, area = require "shapes", got.f()
                return square == shapes.square, area == shapes.Square.area, got.box:area(),
                    getmetatable(got.box) == shapes.Square]],
                true, true, 9, true)
        end)

        it("modules that are functions", function()
            local code = [[package.preload.twice = function()
                return function(x) return 2 * x end
            end]]
            fixture.from:run(code)
            fixture.to:run(code)
            arrives("return { require 'twice' }", "return got[1] == require 'twice'", true)
        end)

        it("nothing that a script has added: it travels by value", function()
            arrives([[
                function helper() return 1 end
                string.trim = function(s) return s:match("^%s*(.-)%s*$") end
                settings = { 5 }
                local helper, trim, settings = helper, string.trim, settings
                return function() return helper(), trim " x ", settings[1] end]],
                "local a, b, c = got() return a, b, c, helper, string.trim, settings",
                1, "x", 5)
        end)

        it("nothing through _G in a module", function()
            local code = "package.preload.odd = function() return { _G = _G, string = string } end"
            fixture.from:run(code)
            fixture.to:run(code)
            arrives([[require "odd" function helper() return 1 end return { helper }]],
                "return got[1]()", 1)
        end)

        it("a module that was loaded after another transfer", function()
            move "return { 1 }"
            local code = "package.preload.late = function() return { f = function() end } end"
            fixture.from:run(code)
            fixture.to:run(code)
            arrives([[return require("late").f]], [[return got == require("late").f]], true)
        end)

        it("a module that was loaded anew", function()
            local code = "package.preload.late = function() return { f = function() end } end"
            fixture.from:run(code)
            fixture.to:run(code)
            arrives([[return require("late").f]], [[return got == require("late").f]], true)
            fixture.from:run "package.loaded.late = nil"
            arrives([[return require("late").f]], [[return got == require("late").f]], true)
        end)

        it("not what a module got after it was named before: another worker has not got it", function()
            move "return { require('shapes').square }"
            arrives([[local shapes = require "shapes"
                shapes.late = function() return 7 end
                return shapes.late]], "return got()", 7)
        end)

        it("not what a module does not hold any more", function()
            move "return { require('shapes').square }"
            arrives([[local shapes = require "shapes"
                local square = shapes.square
                shapes.square = function() end
                return square]], "return got == require('shapes').square", false)
        end)

        it("what is not there: an error on the target", function()
            local parcel = assert(fixture.from:encode_value
                "local shapes = require 'shapes' shapes.late = { 1 } return { shapes.late }")
            local ok, message, name = fixture.to:decode_value(parcel, "got")
            assert.is_nil(ok)
            assert.equal([[require("shapes").late does not exist on this worker: what a stage uses ]]
                .. "from a module must be in it as soon as it is loaded", message)
            assert.equal("EFAILED", name)
        end)

        it("a module that does not load: an error on the target", function()
            fixture.to:run "package.preload.shapes = function() error('no shapes', 0) end"
            local parcel = assert(fixture.from:encode_value "return require 'shapes'")
            local _, message = fixture.to:decode_value(parcel, "got")
            assert.equal("no shapes", message:match("no shapes$"))
        end)
    end)

    describe("says where something is that can't travel", function()
        local cases = {
            { "local file = io.tmpfile() return { handle_events = function() return file end }",
                [[handle_events: upvalue "file": a userdata]] },
            { [[local state = { ["a b"] = { {}, { file = io.tmpfile() } } }
                local function helper() return state end
                return { init = function() return helper() end }]],
                [[init: upvalue "helper": upvalue "state"["a b"][2].file: a userdata]] },
            { "return coroutine.create(print)", "a coroutine" },
            { "return { a = { b = ('x'):gmatch('y') } }", "a.b: a C function" },
            { [[return { x = require("ffi").new("char[2]") }]], "x: a cdata (char [2])" },
            { "return setmetatable({}, { __gc = io.tmpfile() })", "metatable.__gc: a userdata" },
            { "return { f = setfenv(function() end, { io.tmpfile() }) }",
                "f: environment[1]: a userdata" },
            { "return { x = { [coroutine.create(print)] = 1 } }", "x: a key: a coroutine" },
        }
        for _, case in ipairs(cases) do
            it(case[2], function()
                assert.equal(case[2] .. " can't travel to another worker", value_error(case[1]))
            end)
        end
    end)

    it("fails when the parcel is cut off anywhere", function()
        local parcel = fixture.from:encode_value
            "local n = stage(1) return { print, function() return n end }"
        for len = 0, #parcel - 1 do
            local ok, message = fixture.to:decode_value(parcel:cut(len), "got")
            assert.is_nil(ok)
            assert.equal("an incomplete parcel of a value", message)
        end
    end)

    it("lets go of handles when it is dropped, or can't be decoded", function()
        fixture.to:run "package.preload.shapes = function() error 'no' end"
        local parcel = fixture.from:encode_value "return { stage(1), require 'shapes' }"
        assert.is_nil((fixture.to:decode_value(parcel, "got")))
        fixture.from:close()
        fixture.to:run "collectgarbage()"
        assert.equal(1, fixture.handle_refs())
        parcel:drop()
        assert.equal(0, fixture.handle_refs())
    end)

    it("fails cleanly when memory is out", function()
        fixture.without_compiler()
        fixture.from:run [[local n, t = 0, { stage(1) }
            definition = { t, f = function() n = n + 1 return t end, g = function() return n end }]]
        for n = 1, 400, 3 do
            fixture.from:fail_allocation(n)
            local ran, parcel, _, name = pcall(fixture.from.encode_value, fixture.from,
                "return definition")
            fixture.from:fail_allocation(0)
            assert(not ran or parcel or name == "ENOMEM" or name == "EFAILED")
        end
        local parcel = assert(fixture.from:encode_value "return definition")
        for n = 1, 400, 3 do
            fixture.to:fail_allocation(n)
            local ok, _, name = fixture.to:decode_value(parcel, "got")
            assert(ok or name == "ENOMEM" or name == "EFAILED")
        end
        assert(fixture.to:decode_value(parcel, "got"))
        assert.equal(1, fixture.to:run "got.f() return got.g()")
    end)
end)
