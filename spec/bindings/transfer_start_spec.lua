-- SPDX-License-Identifier: MIT

--- Starts of one definition on another worker, again and again: each arrives as the definition is then, whatever has
--- changed since the start before; and each stage gets tables and variables of its own.
local crashing = require "spec.support.crashing"
local fixture = require "spec.bindings.transfer_fixture"
local stagehost = require "stagehost"
local stages = require "spec.support.stages"

-- Starts the global `def` of the source, with the arguments that the code gives; returns what `check` says on the
-- target, where the definition is `def` and the arguments are `args`.
local function start(check, args)
    local parcel = assert(fixture.from:encode_start(
        ("return { definition = def, args = %s, options = options }"):format(args or "nil")))
    assert(fixture.to:decode_value(parcel, "got"))
    parcel:drop()
    fixture.to:run "def, args, options = got.definition, got.args, got.options"
    return fixture.to:run("return " .. (check or ""))
end

-- Defines `def`, and starts it so often that whatever is kept is in use.
local function define(code)
    fixture.from:run(code)
    for _ = 1, 3 do
        start()
    end
end

describe("starts of one definition", function()
    before_each(fixture.setup)
    after_each(fixture.teardown)

    -- what it is, the definition, a check, what it gives, a change, and what the check gives then
    for _, case in ipairs {
        { "an upvalue", "local n = 1; function change() n = 2 end; def = { f = function() return n end }",
            "def.f()", 1, "change()", 2 },
        { "an upvalue from 0 to -0", "local n = 0; function change() n = -0 end; def = { f = function() return n end }",
            "1 / def.f()", math.huge, "change()", -math.huge },
        { "an upvalue to nil", "local n = 1; function change() n = nil end; def = { f = function() return n end }",
            "tostring(def.f())", "1", "change()", "nil" },
        { "an upvalue that was nil", "local n; function change() n = 1 end; def = { f = function() return n end }",
            "tostring(def.f())", "nil", "change()", "1" },
        { "a table below an upvalue", "local t = { a = { 1 } }; function change() t.a[1] = 2 end; "
            .. "def = { f = function() return t.a[1] end }", "def.f()", 1, "change()", 2 },
        { "a field that is added", "def = { f = function() end }", "tostring(def.g)", "nil", "def.g = 5", "5" },
        { "a field that is removed", "def = { g = 5 }", "tostring(def.g)", "5", "def.g = nil", "nil" },
        { "the last field of a nested table", "def = { t = { 1, 2 } }", "#def.t", 2, "def.t[2] = nil", 1 },
        { "a function", "def = { f = function() return 1 end }", "def.f()", 1, "def.f = function() return 2 end", 2 },
        { "a metatable", "def = setmetatable({}, { __index = { g = 1 } })", "tostring(def.g)", "1",
            "setmetatable(def, nil)", "nil" },
        { "a field of a metatable", "def = setmetatable({}, { __index = { g = 1 } })", "def.g", 1,
            "getmetatable(def).__index.g = 2", 2 },
        { "a metatable that is added", "def = { t = {} }", "tostring(def.t.g)", "nil",
            "setmetatable(def.t, { __index = { g = 1 } })", "1" },
        { "an environment", "def = { f = function() return g end }", "tostring(def.f())", "nil",
            "setfenv(def.f, { g = 7 })", "7" },
        { "a global in an environment", "def = { f = function() return g end }; setfenv(def.f, { g = 7 })", "def.f()",
            7, "getfenv(def.f).g = 8", 8 },
        { "a NaN", "def = { n = 0 / 0 }", "def.n ~= def.n", true, "def.n = 1", false },
        { "a key that is a table", "key = { 1 }; def = { t = { [key] = 1 } }", "(next(def.t))[1]", 1,
            "key[1] = 2", 2 },
        { "a boxed integer", "def = { n = 5LL }", "tostring(def.n)", "5LL", "def.n = 6LL", "6LL" },
        { "a handle", "def = { s = stage(1) }", "handle_name(def.s)", "stage 1", "def.s = stage(2)", "stage 2" },
        { "which variable two functions share",
            "local a, b = 1, 1; local function other() return b end; "
            .. "def = { set = function(n) a = n end, f = function() return a end }; "
            .. "function change() debug.upvaluejoin(def.f, 1, other, 1) end",
            "(function() def.set(5) return def.f() end)()", 5, "change()", 1 },
    } do
        it("send " .. case[1] .. " as it is then", function()
            define(case[2])
            assert.equal(case[4], start(case[3]))
            fixture.from:run(case[5])
            assert.equal(case[6], start(case[3]))
            assert.equal(case[6], start(case[3]))
        end)
    end

    it("keep what a definition shares with its arguments", function()
        define [[
            local n = 1
            shared = { 1 }
            function get() return n end
            def = { t = shared, set = function(v) n = v end }]]
        assert.equal(true, start("def.t == args[1]", "{ shared }"))
        assert.equal(7, start("(function() def.set(7) return args.get() end)()", "{ get = get }"))
        assert.equal(true, start("def.set == args.set", "{ set = def.set }"))
        assert.equal(true, start("def == args.def", "{ def = def }"))
        assert.equal(false, start("def.t == args[1]", "{ { 1 } }"))
    end)

    it("carry handles of definition, arguments and options", function()
        define "def = { a = stage(1), b = subscription(2) }; options = { to = stage(4) }"
        for i = 3, 5 do
            assert.same({ "stage 1", "subscription 2", "stage " .. i, "stage 4" }, { start(
                "handle_name(def.a), handle_name(def.b), handle_name(args[1]), handle_name(options.to)",
                ("{ stage(%d), 'x' }"):format(i)) })
        end
        fixture.from:run "def, options = nil; collectgarbage() collectgarbage()"
    end)

    it("share nothing that a stage can change", function()
        define [[
            local n, t = 0, { 0 }
            def = {
                nested = { deep = { 0 } },
                f = function() n, t[1] = n + 1, t[1] + 1; return n + t[1] end,
                env = setfenv(function() own = (own or 0) + 1; return own end, {}),
            }]]
        for _ = 1, 3 do
            assert.same({ 2, 1, 0 }, { start "def.f(), def.env(), def.nested.deep[1]" })
            fixture.to:run "def.f(); def.env(); def.nested.deep[1], def.f, def.nested = 5"
        end
    end)

    it("load a function anew when a stage has changed its environment", function()
        define "def = { f = function() return type(print) end }"
        assert.equal("function", start "def.f()")
        fixture.to:run "setfenv(def.f, {})"
        assert.equal("function", start "def.f()")
    end)

    it("find a module that was loaded anew, or does not hold a value any more", function()
        for _, state in ipairs { fixture.from, fixture.to } do
            state:run [[package.preload.shapes = function() return { f = function() return "module" end } end]]
        end
        define "local shapes = require 'shapes'; def = { f = shapes.f, m = shapes }"
        assert.equal(true, start "def.f == package.loaded.shapes.f and def.m == package.loaded.shapes")
        fixture.from:run "package.loaded.shapes.f = nil"
        assert.equal(false, start "def.f == package.loaded.shapes.f")
        assert.equal("module", start "def.f()")
        fixture.from:run "package.loaded.shapes.f = def.f"
        assert.equal(true, start "def.f == package.loaded.shapes.f")
        fixture.from:run "package.loaded.shapes = nil"
        assert.equal(false, start "def.f == package.loaded.shapes.f")
    end)

    it("name the place of what can't travel any more", function()
        define "local co; function change() co = coroutine.create(change) end; def = { f = function() return co end }"
        fixture.from:run "change()"
        local parcel, message = fixture.from:encode_start "return { definition = def }"
        assert.is_nil(parcel)
        assert.equal('definition.f: upvalue "co": a coroutine can\'t travel to another worker', message)
    end)

    it("do not keep a definition alive, nor its handles", function()
        define "def = { f = function() return def end, t = { stage(1) } }; def.t.def = def"
        fixture.from:run "gone = setmetatable({ def }, { __mode = 'v' }); def = nil; collectgarbage() collectgarbage()"
        assert.equal(true, fixture.from:run "return gone[1] == nil")
    end)

    it("are apart for many definitions", function()
        fixture.from:run "defs = {} for i = 1, 300 do defs[i] = { f = function() return i end, i = i } end"
        for _ = 1, 4 do
            for i = 1, 300, 7 do
                fixture.from:run("def = defs[" .. i .. "]")
                assert.same({ i, i }, { start "def.f(), def.i" })
            end
        end
    end)

    it("fail when the parcel is cut off anywhere", function()
        define "def = { f = function() return 1 end, t = { 1 } }"
        local parcel = assert(fixture.from:encode_start "return { definition = def, args = { 1 } }")
        for len = 0, #parcel - 1 do
            assert.is_nil((fixture.to:decode_value(parcel:cut(len), "got")))
        end
    end)

    it("fail cleanly when memory is out", function()
        fixture.without_compiler()
        define "local n = 1; function change() n = n + 1 end; def = { f = function() return n end, t = { {} } }"
        local n = 0
        local parcel
        repeat
            n = n + 1
            fixture.from:run(n % 5 == 0 and "change()" or "")
            fixture.from:fail_allocation(n)
            local ran, result, _, name = pcall(fixture.from.encode_start, fixture.from,
                "return { definition = def, args = { n = 1 } }")
            fixture.from:fail_allocation(0)
            parcel = ran and result
            assert.is_true(not ran or result ~= nil or name == "ENOMEM")
        until parcel
        assert(fixture.to:decode_value(parcel, "got"))
        assert.equal(fixture.from:run "return def.f()", fixture.to:run "return got.definition.f()")
    end)
end)

-- A definition of random tables and functions, changed at random between its starts: each start gives what a
-- definition that is started for the first time would give.
describe("random changes of a definition", function()
    before_each(fixture.setup)
    after_each(fixture.teardown)

    local PREPARE = [[
        local random = math.random
        objects = {}
        local function value()
            local kind = random(6)
            return kind == 1 and random(3) or kind == 2 and "s" .. random(3) or kind == 3 and nil
                or kind == 4 and -0 or objects[random(#objects)]
        end
        local function add()
            if random(2) == 1 then
                objects[#objects + 1] = {}
            else
                local a, b = value(), value()
                objects[#objects + 1] = function(set, x)
                    if set == 1 then a = x elseif set == 2 then b = x end
                    return a, b
                end
            end
        end
        function prepare(seed)
            math.randomseed(seed)
            objects = { {} }
            def = objects[1]
            for _ = 1, 8 do add() end
            for _ = 1, 20 do change() end
        end
        function change()
            local object = objects[random(#objects)]
            if type(object) == "function" then
                object(random(2), value())
            elseif random(8) == 1 then
                setmetatable(object, random(2) == 1 and { __index = value() } or nil)
            elseif random(4) == 1 then
                object[objects[random(#objects)] ] = value()
            else
                object[random(3)] = value()
            end
        end]]

    -- In both states: the shape of a value as text, whatever refers to whatever.
    local SHAPE = [[
        function shape(root)
            local ids, n, out = {}, 0, {}
            local function visit(v)
                if type(v) == "number" then
                    return v == 0 and 1 / v < 0 and "-0" or tostring(v)
                elseif type(v) ~= "table" and type(v) ~= "function" then
                    return tostring(v)
                elseif ids[v] then
                    return "#" .. ids[v]
                end
                n = n + 1
                ids[v] = n
                local id = n
                if type(v) == "function" then
                    local a, b = v()
                    out[id] = "f(" .. visit(a) .. "," .. visit(b) .. ")"
                    return "#" .. id
                end
                local parts = {}
                for i = 1, 3 do
                    parts[i] = visit(rawget(v, i))
                end
                local keyed = {}
                for key, value in next, v do
                    if type(key) ~= "number" then
                        keyed[#keyed + 1] = type(key) .. ":" .. type(value)
                    end
                end
                table.sort(keyed)
                local meta = getmetatable(v)
                out[id] = "{" .. table.concat(parts, ",") .. ";" .. table.concat(keyed, ",") .. ";"
                    .. (meta and visit(meta.__index) or "") .. "}"
                return "#" .. id
            end
            visit(root)
            return table.concat(out, " ")
        end]]

    it("arrive", function()
        fixture.from:run(SHAPE)
        fixture.to:run(SHAPE)
        fixture.from:run(PREPARE)
        for seed = 1, 40 do
            fixture.from:run(("prepare(%d)"):format(seed))
            for step = 1, 25 do
                if step % 3 == 0 then
                    fixture.from:run "change()"
                end
                assert.equal(fixture.from:run "return shape(def)", start "shape(def)",
                    ("seed %d, step %d"):format(seed, step))
            end
        end
    end)
end)

describe("stages that are started from one definition", function()
    after_each(stages.stop_all)

    it("have its upvalues as they were when each was started, on every worker", function()
        local n, list = 0, { 0 }
        local Def = stagehost.process {
            init = function(self) self.n, self.first = n, list[1] end,
            handle_call = function(self) return { self.n, self.first } end,
        }
        local started = {}
        for _, worker in ipairs(crashing.workers()) do
            for i = 1, 6 do
                n, list[1] = i % 3 == 0 and n or i, -i
                local stage = assert(stagehost.start(Def, { worker = worker }))
                started[#started + 1] = { stage, n, -i }
            end
        end
        for _, one in ipairs(started) do
            assert.same({ one[2], one[3] }, one[1]:call "?")
        end
    end)
end)
