-- SPDX-License-Identifier: MIT
local fixture = require "spec.bindings.transfer_fixture"

-- Of struct parcel_head: the body of a parcel without handles stands behind it.
local HEAD_LEN = 24

local move, events_error = fixture.move_events, fixture.events_error

describe("transfer of events", function()
    before_each(fixture.setup)
    after_each(fixture.teardown)

    describe("keeps", function()
        local lists = {
            { "numbers", "return { 1, -2, 0.1, 2^53, -1e300 }" },
            { "special numbers", "return { 1/0, -1/0, 0/0, -0.0 }" },
            { "strings", [[return { "", "a\0b", ("x"):rep(100000) }]] },
            { "booleans", "return { true, false }" },
            { "64-bit and complex numbers", "return { -1LL, 18446744073709551615ULL, 2i }" },
            { "nested tables", "return { { a = { b = { 1, { c = false } } } }, {} }" },
            { "tables as keys", "return { { [{ 1 }] = { 2 } } }" },
            { "numbers and booleans as keys", "return { { [1.5] = 1, [true] = 2, [-1] = 3 } }" },
            { "a table in several places", "local t = { 1 } return { t, t, { t = t } }" },
            { "a light userdata", [[
                local x
                id = id or debug.upvalueid(function() return x end, 1)
                return { id }]] },
            { "a list that nests more deeply than the serializer goes",
                "local t = {} for i = 1, 300 do t = { i, t } end return { t }" },
        }
        for _, case in ipairs(lists) do
            it(case[1], function()
                local sent = fixture.from:run("return describe((function() " .. case[2]
                    .. " end)())")
                assert.equal(sent, (move(case[2])))
            end)
        end
    end)

    it("counts events that are nil", function()
        local got, n = move("return { nil, 1, nil, 2, nil }", 5)
        assert.equal("{[2]=1,[4]=2}", got)
        assert.equal(5, n)
        assert.same({ "{}", 1 }, { move("return { nil }", 1) })
        assert.same({ "{}", 0 }, { move("return {}", 0) })
    end)

    it("takes a range", function()
        assert.same({ "{[1]=3,[2]=4}", 2 }, { move("return { 1, 2, 3, 4, 5 }", 2, 2) })
        assert.same({ "{[1]=1}", 1 }, { move("return { 1, 2, 3 }", 1, 0) })
        assert.same({ "{[2]=5}", 2 }, { move("return { 1, nil, 3, nil, 5 }", 2, 3) })
    end)

    it("does not look at events outside the range", function()
        assert.equal("{[1]=2}", (move("return { print, 2, print }", 1, 1)))
        assert.equal("{[1]=stage 1}", (move("return { print, stage(1), print }", 1, 1)))
    end)

    it("runs no code of the events", function()
        local code = [[
            local function fail() error "a metamethod" end
            return setmetatable({ 1, nil, 3, x = print },
                { __index = fail, __len = fail, __pairs = fail })]]
        assert.equal("{[1]=1,[3]=3}", (move(code, 3)))
        assert.equal("{[2]=3}", (move(code, 2, 1)))
    end)

    it("drops metatables, but not that of errors", function()
        for _, other in ipairs { "nil", "stage(2)" } do
            move(([[
                local mt = debug.getregistry()["stagehost.error"]
                return { setmetatable({}, {}), { setmetatable({ name = "oops" }, mt) }, %s }
            ]]):format(other))
            assert.same({ true, true, "oops" }, { fixture.to:run [[
                local mt = debug.getregistry()["stagehost.error"]
                return getmetatable(got[1]) == nil, getmetatable(got[2][1]) == mt,
                    got[2][1].name]] })
        end
    end)

    it("copies: what arrives is independent", function()
        move("shared = { 1 } return { shared }")
        fixture.to:run "got[1][1] = 2"
        assert.equal(1, fixture.from:run "return shared[1]")
    end)

    it("carries big batches, and small ones after them", function()
        local parcel = assert(fixture.from:encode_events(
            "local t = {} for i = 1, 300000 do t[i] = { i, 'event ' .. i } end return t",
            0, 300000))
        assert.equal(300000, fixture.to:decode_events(parcel, "got"))
        assert.equal("event 300000", fixture.to:run "return got[300000][2]")
        assert.equal("{[1]=7}", (move "return { 7 }"))
    end)

    it("is not disturbed by finalizers that transfer, too", function()
        assert.equal(true, fixture.from:run [[
            local is_done = false
            local function litter()
                local object = newproxy(true)
                getmetatable(object).__gc = function()
                    if is_done then return end
                    litter()
                    assert(#recode({ "x", "y", "z" }, 3) == 3)
                end
            end
            collectgarbage("setpause", 10)
            for i = 1, 2000 do
                litter()
                local copy = recode({ i, tostring(i), { i } }, 3)
                assert(copy[1] == i and copy[2] == tostring(i) and copy[3][1] == i)
            end
            is_done = true
            return true]])
    end)

    describe("with handles", function()
        it("carries them at any depth", function()
            assert.equal('{[1]={["a"]={[1]=stage 3}},[2]=subscription 1,[3]=3}',
                (move "return { { a = { stage(3) } }, subscription(1), 3 }"))
            assert.equal("{[1]={[stage 1]=1}}", (move "return { { [stage(1)] = 1 } }"))
        end)

        it("holds references until the parcel is freed", function()
            local parcel = fixture.from:encode_events(
                "return { stage(1), subscription(2) }", 0, 2)
            fixture.from:run "collectgarbage()"
            assert.equal(2, fixture.handle_refs())
            assert.equal(2, fixture.to:decode_events(parcel, "got"))
            assert.equal(4, fixture.handle_refs())
            parcel:drop()
            assert.equal(2, fixture.handle_refs())
        end)

        it("lets go of them when the parcel is dropped undecoded", function()
            local parcel = fixture.from:encode_events("return { { stage(1) } }", 0, 1)
            fixture.from:close()
            assert.equal(1, fixture.handle_refs())
            parcel:drop()
            assert.equal(0, fixture.handle_refs())
        end)
    end)

    describe("says where something is that can't cross", function()
        local cases = {
            { [[return { 1, 2, { callback = function() end } }]],
                [[event 3, field "callback": a function can't cross to another worker]] },
            { "return { 1, { { x = { [7] = coroutine.create(print) } } } }",
                [[event 2, index 1, field "x", index 7: ]]
                    .. "a coroutine can't cross to another worker" },
            { "return { io.stdout }", "event 1: a userdata can't cross to another worker" },
            { "return { print }", "event 1: a C function can't cross to another worker" },
            { "return { { [function() end] = 1 } }",
                "event 1, a key: a function can't cross to another worker" },
            { "return { { [{}] = { print } } }",
                "event 1, field a table, index 1: a C function can't cross to another worker" },
            { [[return { require("ffi").new("int[3]") }]],
                "event 1: a cdata (int [3]) can't cross to another worker" },
            { "local t = {} t.a = { { t } } return { 1, t }",
                [[event 2, field "a", index 1, index 1: ]]
                    .. "a table that contains itself can't cross to another worker" },
            { "local t = { stage(1) } t[t] = 1 return { t }",
                "event 1, a key: a table that contains itself can't cross to another worker" },
        }
        for _, case in ipairs(cases) do
            it(case[2], function()
                assert.equal(case[2], events_error(case[1], 3))
            end)
        end

        it("counted from the start of the list", function()
            assert.equal("event 5: a function can't cross to another worker",
                events_error("return { 1, 2, 3, 4, function() end, 6 }", 2, 3))
        end)

        it("and encodes the next batch as if nothing had happened", function()
            events_error("return { ('x'):rep(10), print }", 2)
            assert.equal("{[1]=1}", (move "return { 1 }"))
        end)
    end)

    describe("of random values", function()
        local RANDOM = [[
            local depth_limit, with_handles = ...
            local random = math.random
            local function value(depth)
                local kind = random(1, depth < depth_limit and 12 or 8)
                if kind == 1 then return random(-100, 100)
                elseif kind == 2 then return random() * 2 ^ random(-100, 100)
                elseif kind == 3 then return ("x"):rep(random(0, 20)) .. string.char(random(0, 255))
                elseif kind == 4 then return random() < 0.5
                elseif kind == 5 then return random(1, 1000) * 1LL
                elseif kind == 6 then return "k" .. random(1, 10)
                elseif kind == 7 then return with_handles and stage(random(0, 7)) or 7
                elseif kind == 8 then return with_handles and subscription(random(0, 7)) or 8
                end
                local t = {}
                for i = 1, random(0, 6) do t[i] = value(depth + 1) end
                for _ = 1, random(0, 4) do t["k" .. random(1, 20)] = value(depth + 1) end
                if random() < 0.1 then t[random(50, 100)] = value(depth + 1) end
                return t
            end
            list, n = {}, random(0, 30)
            for i = 1, n do
                if random() < 0.9 then list[i] = value(0) end
            end
            first = random(0, n)
            count = random(0, n - first)
            local part = {}
            for i = 1, count do part[i] = list[first + i] end
            return first, count, describe(part)]]

        for _, with_handles in ipairs { false, true } do
            it("arrive as they were sent" .. (with_handles and ", with handles" or ""), function()
                for seed = 1, 300 do
                    fixture.from:run("math.randomseed(...)", seed)
                    local first, count, sent = fixture.from:run(RANDOM, 4, with_handles)
                    local parcel = assert(fixture.from:encode_events("return list", first, count))
                    local n = assert(fixture.to:decode_events(parcel, "got"))
                    parcel:drop()
                    assert(n == count, "seed " .. seed)
                    -- A list that is sent whole may have events behind the range.
                    local got = fixture.to:run("local t = {} for i = 1, ... do t[i] = got[i] end "
                        .. "return describe(t)", n)
                    assert(sent == got, "seed " .. seed .. ": " .. sent .. "\n" .. got)
                end
            end)
        end
    end)

    describe("from a damaged parcel", function()
        local LIST = [[return { 1, "two", { three = { 3, 3.5 } }, true, 5LL }]]

        it("fails when it is cut off anywhere", function()
            for _, code in ipairs { LIST, "return { stage(1), { {} } }" } do
                local parcel = fixture.from:encode_events(code, 0, 2)
                for len = 0, #parcel - 1 do
                    local part = parcel:cut(len)
                    local n, message = fixture.to:decode_events(part, "got")
                    assert.is_nil(n)
                    assert.equal("an incomplete parcel of events", message)
                end
            end
        end)

        it("does not crash when a byte of the body is wrong", function()
            local parcel = fixture.from:encode_events(LIST, 0, 5)
            for offset = HEAD_LEN, #parcel - 1 do
                for bit = 0, 7 do
                    local n, message = fixture.to:decode_events(
                        parcel:flip(offset, 2 ^ bit), "got")
                    assert(n == 5 or type(message) == "string")
                end
            end
        end)

        it("fails when it holds something else", function()
            local value = fixture.from:encode_value "return 1"
            local events = fixture.from:encode_events("return { 1 }", 0, 1)
            assert.same({ nil, "an incomplete parcel of events", "EFAILED" },
                { fixture.to:decode_events(value, "got") })
            assert.same({ nil, "an incomplete parcel of a value", "EFAILED" },
                { fixture.to:decode_value(events, "got") })
        end)
    end)

    it("fails cleanly when memory is out", function()
        fixture.without_compiler()
        local failed, succeeded = 0, 0
        for _, code in ipairs { "return list", "return { stage(1), list }" } do
            for n = 1, 60 do
                fixture.from:run "list = {} for i = 1, 2000 do list[i] = { i, 'x' .. i } end"
                fixture.from:fail_allocation(n)
                -- The code itself may fail before anything is encoded.
                local ran, parcel, _, name =
                    pcall(fixture.from.encode_events, fixture.from, code, 0, 2)
                fixture.from:fail_allocation(0)
                if ran and parcel then
                    succeeded = succeeded + 1
                    fixture.to:fail_allocation(n)
                    local _, _, why = fixture.to:decode_events(parcel, "got")
                    assert(why == nil or why == "ENOMEM" or why == "EFAILED")
                    parcel:drop()
                elseif ran then
                    failed = failed + 1
                    assert(name == "ENOMEM" or name == "EFAILED", name)
                end
            end
        end
        assert(failed > 0 and succeeded > 0)
        assert.equal("{[1]=1}", (move "return { 1 }"))
    end)
end)
