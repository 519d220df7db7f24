-- The JSON codec: texts, strings, lists and maps, and what is wrong with them.
local json = require("stagehost").codec.json

local function assert_error(expected, value, message)
    assert.is_nil(value)
    assert.matches(expected, message, 1, true)
end

--- n of them, one in the other.
local function nest(n, open, inner, close)
    return open:rep(n) .. inner .. close:rep(n)
end

describe("a JSON text", function()
    it("is one value, and white space around it", function()
        for text, value in pairs {
            ["1"] = 1, [' "x" '] = "x", ["\t\r\n true"] = true, ["false\n"] = false, ["null"] = json.null,
            ["-12.5E+1"] = -125, ["1e2"] = 100,
        } do
            assert.equal(value, (json.decode(text)))
        end
        assert.same({ { 1, { a = {} } }, "x", {} }, (json.decode '[ [1 , {"a" : {}}],"x",[ ] ]'))
    end)

    it("is refused with what was expected, what was found, and where", function()
        for text, expected in pairs {
            [""] = "Expected value but found T_END at character 1",
            ["[1,"] = "Expected value but found T_END at character 4",
            ["[1"] = "Expected comma or array end but found T_END at character 3",
            ["[1 2]"] = 'Expected comma or array end but found T_NUMBER at character 4: "[1 2]"',
            ["[1,]"] = "Expected value but found T_ARR_END at character 4",
            ["[}"] = "Expected value but found T_OBJ_END at character 2",
            ["{1:2}"] = "Expected object key string but found T_NUMBER at character 2",
            ['{"a":1,}'] = "Expected object key string but found T_OBJ_END at character 8",
            ['{"a",1}'] = "Expected colon but found T_COMMA at character 5",
            ['{"a":1:'] = "Expected comma or object end but found T_COLON at character 7",
            ['{"a":"b" "c"'] = "Expected comma or object end but found T_STRING at character 10",
            ['{"a" null'] = "Expected colon but found T_NULL at character 6",
            ["[] true"] = "Expected the end but found T_BOOLEAN at character 4",
            ["nul"] = "Expected value but found invalid token at character 1",
            ["True"] = "Expected value but found invalid token at character 1",
            ["\239\187\191{}"] = "Expected value but found invalid token at character 1",
            ["'a'"] = "Expected value but found invalid token at character 1",
            ["+1"] = "Expected value but found invalid token at character 1",
            [".5"] = "Expected value but found invalid token at character 1",
            ["NaN"] = "Expected value but found invalid token at character 1",
            ["01"] = "Expected value but found invalid number at character 1",
            ["-"] = "Expected value but found invalid number at character 1",
            ["[-x]"] = "Expected value but found invalid number at character 2",
            ["1."] = "Expected value but found invalid number at character 1",
            ["1.e5"] = "Expected value but found invalid number at character 1",
            ["1e"] = "Expected value but found invalid number at character 1",
            ["1e+"] = "Expected value but found invalid number at character 1",
            ["0x10"] = "Expected the end but found invalid token at character 2",
        } do
            assert_error(expected, json.decode(text))
        end
    end)

    it("does not end at a NUL byte", function()
        assert_error("Expected the end but found a NUL byte at character 8", json.decode '{"a":1}\0{"lost":true}')
        assert_error("Expected the end but found a NUL byte at character 3", json.decode "{}\0")
        assert_error("Expected value but found a NUL byte at character 2", json.decode "[\0]")
        assert_error("found an unescaped control character at character 3", json.decode '"a\0b"')
        assert_error("found invalid number at character 1", json.decode "1.\0005")
    end)

    it("is shown where the error is", function()
        local text = '{"' .. ("a"):rep(100) .. '":1 2' .. ("b"):rep(100) .. "}"
        local _, message = json.decode(text)
        assert.equal("Expected comma or object end but found T_NUMBER at character 107: ..."
            .. '"' .. ("a"):rep(16) .. '\\":1 2' .. ("b"):rep(39) .. '"...', message)
        -- What lacks something at its end is not shown: it ends there.
        assert.equal("Expected value but found T_END at character 4", (select(2, json.decode "[1,")))
    end)

    it("is a string, not what Lua would make one", function()
        assert_error("Expected a string but found a number", json.decode(1446249499322123))
        assert_error("Expected a string but found a nil", json.decode(nil))
        assert_error("Expected a string but found a table", json.decode {})
    end)
end)

describe("strings of JSON", function()
    it("survive, whatever bytes they have, in any length", function()
        local all = {}
        for byte = 0, 127 do
            all[#all + 1] = string.char(byte)
        end
        local ascii = table.concat(all)
        for _, length in ipairs { 0, 1, 7, 8, 9, 100, 511, 512, 513, 4095, 5000, 100000 } do
            local plain = ("x"):rep(length)
            for _, text in ipairs { plain, plain .. "\n", ("ä€😀"):rep(length), ascii:rep(length / 50) } do
                assert.is_true(text == json.decode(assert(json.encode(text))))
                assert.is_true(next(json.decode(assert(json.encode { [text] = true }))) == text)
            end
        end
    end)

    it("are written with the escapes that are needed, and no others", function()
        assert.equal([["\"\\/\b\f\n\r\t\u0000\u001f]] .. "\127äβ€😀" .. '"',
            (json.encode '"\\/\b\f\n\r\t\0\31\127äβ€😀'))
    end)

    it("are read with every escape", function()
        assert.equal('"\\/\b\f\n\r\t\0Aä€😀', (json.decode [["\"\\\/\b\f\n\r\t\u0000\u0041\u00E4\u20ac\uD83d\ude00"]]))
    end)

    it("are refused when they are not whole", function()
        for text, expected in pairs {
            ['"abc'] = "unexpected end of string at character 5",
            ['"abc\\'] = "unexpected end of string at character 5",
            ['"\\"'] = "unexpected end of string at character 4",
            ['"a\tb"'] = "an unescaped control character at character 3",
            ['"a\\xb"'] = "invalid escape code at character 3",
            ['"\\u12g4"'] = "invalid unicode escape code at character 2",
            ['"\\u12"'] = "invalid unicode escape code at character 2",
        } do
            assert_error("Expected value but found " .. expected, json.decode(text))
            assert_error("Expected object key string but found ", json.decode("{" .. text))
        end
    end)

    -- Stray bytes, overlong forms, surrogates, beyond U+10FFFF, sequences cut short.
    local INVALID = { "\128", "\255", "\192\128", "\224\128\128", "\237\160\128", "\240\128\128\128",
        "\244\144\128\128", "\245\128\128\128", "\195", "\226\130", "\240\159\152" }

    it("are refused when they are no UTF-8", function()
        for _, bytes in ipairs(INVALID) do
            assert_error("found invalid UTF-8", json.decode('["ok","ä' .. bytes .. '"]'))
            assert_error("Cannot serialise string at a[2]: invalid UTF-8", json.encode { a = { "ok", bytes .. "x" } })
            assert_error("Cannot serialise a table key at a: invalid UTF-8", json.encode { a = { [bytes] = 1 } })
        end
    end)

    it("have bytes that are no UTF-8 kept or replaced, by option", function()
        local keep, replace = { invalid_utf8 = "keep" }, { invalid_utf8 = "replace" }
        for _, bytes in ipairs(INVALID) do
            local text = '"a' .. bytes .. 'b\\n"'
            local marks = ("\239\191\189"):rep(#bytes)
            assert.equal("a" .. bytes .. "b\n", (json.decode(text, keep)))
            assert.equal(text, (json.encode("a" .. bytes .. "b\n", keep)))
            assert.equal("a" .. marks .. "b\n", (json.decode(text, replace)))
            assert.equal('"a' .. marks .. 'b\\n"', (json.encode("a" .. bytes .. "b\n", replace)))
        end
        local long = ("\255"):rep(2000)
        assert.equal(("\239\191\189"):rep(2000), (json.decode('"' .. long .. '"', replace)))
        assert.equal('"' .. ("\239\191\189"):rep(2000) .. '"', (json.encode(long, replace)))
    end)

    it("are refused with half a surrogate pair, which can be kept or replaced", function()
        for escape, bytes in pairs {
            ["\\ud800"] = "\237\160\128", ["\\udfff"] = "\237\191\191", ["\\ud800\\u0041"] = "\237\160\128A",
            ["\\ud800\\ud800"] = "\237\160\128\237\160\128",
        } do
            local text = '"' .. escape .. '"'
            assert_error("found half of a surrogate pair", json.decode(text))
            assert.equal(bytes, (json.decode(text, { invalid_utf8 = "keep" })))
            assert.equal((bytes:gsub("\237..", "\239\191\189")), (json.decode(text, { invalid_utf8 = "replace" })))
        end
    end)
end)

describe("lists and maps of JSON", function()
    it("survive in every size", function()
        for _, n in ipairs { 1, 2, 10, 63, 64, 65, 66, 128, 1000, 20000 } do
            local list, map = {}, {}
            for i = 1, n do
                list[i], map["k" .. i] = i, { i }
            end
            assert.same(list, (json.decode(json.encode(list))))
            assert.same(map, (json.decode(json.encode(map))))
        end
    end)

    it("take the last of several items with one name", function()
        for _, n in ipairs { 1, 10, 62, 63, 64, 65, 200 } do
            local items = {}
            for i = 1, n do
                items[i] = ('"k%d":%d'):format(i, i)
            end
            local map = json.decode('{"x":1,' .. table.concat(items, ",") .. ',"x":2,"k1":null}')
            assert.equal(2, map.x)
            assert.equal(json.null, map.k1)
        end
    end)

    it("may be nested 1000 deep, both ways", function()
        for _, part in ipairs { { "[", "1", "]" }, { '{"a":', "1", "}" }, { "[0,", "1", "]" }, { "[", "", "]" } } do
            local open, inner, close = unpack(part)
            local value = assert(json.decode(nest(1000, open, inner, close)))
            local text = assert(json.encode(value))
            assert.same(1000, select(2, text:gsub(close, "", 1000)) + (inner == "" and 1 or 0))
            assert_error("Found too many nested data structures (1001) at character " .. 1000 * #open + 1,
                json.decode(nest(1001, open, inner, close)))
            assert_error("Found too many nested data structures", json.decode(open:rep(100000)))
            assert_error("nesting is deeper than 1000", json.encode { value, { value } })
        end
        local cycle = {}
        cycle.next = { cycle }
        assert_error("Cannot serialise table at next[1].next[1].", json.encode(cycle))
    end)

    it("may be wide where they are deep", function()
        local wide = "[" .. ("1,"):rep(200) .. '{"a":' .. ("[2],"):rep(1):sub(1, -2) .. "}"
        local text = wide:rep(900) .. ("]"):rep(900)
        local value = assert(json.decode((text:gsub("}%[", "},["))))
        for _ = 1, 900 do
            assert.equal(1, value[200])
            assert.same({ a = { 2 } }, value[201])
            value = value[202]
        end
    end)

    it("are told apart by their keys", function()
        assert.equal("[1,null,3]", (json.encode { 1, nil, 3 }))
        assert.equal("{}", (json.encode {}))
        assert.equal('[null,2]', (json.encode { [2] = 2 }))
        assert.equal('{"0":1}', (json.encode { [0] = 1 }))
        assert.equal('{"1.5":1}', (json.encode { [1.5] = 1 }))
        assert.same({ ["1"] = 1, a = 2 }, (json.decode(json.encode { 1, a = 2 })))
        assert.equal("[" .. ("null,"):rep(9) .. "1]", (json.encode { [10] = 1 }))
        assert_error("Cannot serialise table at x: excessively sparse array", json.encode { x = { [11] = 1 } })
    end)

    it("can't have a key twice, or one that is no name", function()
        assert_error("Cannot serialise a table key at a: appears twice, as a number and as a string or cdata",
            json.encode { a = { [7] = 1, ["7"] = 2 } })
        for _, key in ipairs { 7, "7" } do
            assert_error("a table key: appears twice", json.encode { [7LL] = 1, [key] = 2, x = 3 })
        end
        assert_error("Cannot serialise a table key: must be a number or string", json.encode { [true] = 1 })
        assert_error("Cannot serialise a table key at [2]: must be a number or string",
            json.encode { 1, { [{}] = 1 } })
    end)

    it("name the way to what can't be encoded", function()
        assert_error("Cannot serialise function: type not supported", json.encode(print))
        assert_error('Cannot serialise function at a[2]["b c"]: type not supported',
            json.encode { a = { 1, { ["b c"] = print } } })
        assert_error("Cannot serialise thread at [1]", json.encode { coroutine.create(print) })
        assert_error("Cannot serialise userdata at f", json.encode { f = io.stdout })
    end)

    it("are encoded again after an error", function()
        for i = 1, 2000 do
            assert.is_nil((json.encode { ("x"):rep(i), print }))
            assert.is_nil((json.decode('["' .. ("\\n"):rep(i))))
            assert.equal("[1]", (json.encode { 1 }))
        end
    end)

    it("may be encoded by a finalizer meanwhile", function()
        local n, expected = 0, { ("a\n"):rep(3000), ("b"):rep(20000), { c = ("ä\\"):rep(3000) } }
        local text = json.encode(expected)
        local function add_garbage()
            getmetatable(newproxy(true)).__gc = function()
                n = n + 1
                assert(json.decode(json.encode { ("z\n"):rep(n % 5000) })[1] == ("z\n"):rep(n % 5000))
            end
        end
        local pause = collectgarbage("setpause", 50)
        for _ = 1, 200 do
            add_garbage()
            assert.is_true(text == json.encode(expected))
            assert.same(expected, (json.decode(text)))
        end
        collectgarbage("setpause", pause)
        assert.is_true(n > 0)
    end)
end)

describe("options of the JSON codec", function()
    it("are checked by name and value", function()
        for _, name in ipairs { "decode", "encode", "decoder", "encoder" } do
            local call = function(options)
                return function()
                    return name:find "er$" and json[name](options) or json[name]("1", options)
                end
            end
            assert.has_no.errors(call { big_integers = "string", invalid_utf8 = "keep" })
            assert.error_matches(call { big_integers = "cdata" },
                'option "big_integers" must be one of "error", "int64", "string", got "cdata"', 1, true)
            assert.error_matches(call { invalid_utf8 = true },
                'option "invalid_utf8" must be one of "error", "keep", "replace", got true', 1, true)
            assert.error_matches(call { big_integer = "int64" },
                'unknown option "big_integer" of codec.json.' .. name, 1, true)
        end
    end)
end)
