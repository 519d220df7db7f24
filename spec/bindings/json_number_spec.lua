-- The JSON codec's numbers: decoded and encoded again, they are the numbers that they were.
local ffi = require "ffi"
local json = require("stagehost").codec.json

local pun = ffi.new "union { double number; uint64_t bits; }"

local function bits_of(number)
    pun.number = number
    return tostring(pun.bits)
end

local function number_of(bits)
    pun.bits = bits
    return pun.number
end

local function random_bits()
    return ffi.cast("uint64_t", math.random(0, 2 ^ 32 - 1)) * 2ULL ^ 32 + math.random(0, 2 ^ 32 - 1)
end

--- Every kind of double that comes up: any bits, fractions, short decimals, denormals.
local function random_doubles(n)
    local list = {}
    for i = 1, n, 4 do
        list[i] = number_of(random_bits())
        list[i + 1] = math.random()
        list[i + 2] = math.random(-1e6, 1e6) / 10 ^ math.random(0, 9)
        list[i + 3] = number_of(random_bits() % 2ULL ^ math.random(1, 52))
    end
    local finite = {}
    for _, number in ipairs(list) do
        if number == number and math.abs(number) < math.huge then
            finite[#finite + 1] = number
        end
    end
    return finite
end

local function assert_survives(number)
    local text = assert(json.encode(number))
    local back = assert(json.decode(text))
    if bits_of(back) ~= bits_of(number) or bits_of(tonumber(text)) ~= bits_of(number) then
        error(("%.17g became %s, which is %.17g"):format(number, text, back))
    end
    return text
end

--- How many digits a text has, without zeros at either end.
local function count_digits(text)
    local digits = text:gsub("e.*", ""):gsub("[-.]", ""):gsub("^0+", ""):gsub("0+$", "")
    return #digits
end

describe("numbers of JSON", function()
    setup(function()
        math.randomseed(20)
    end)

    it("survive, whatever double they are", function()
        for _, number in ipairs(random_doubles(8000)) do
            assert_survives(number)
            assert_survives(-number)
        end
    end)

    it("survive at the edges, where the steps between doubles change", function()
        for exponent = -1074, 1023 do
            local power = 2 ^ exponent
            pun.number = power
            local above, below = number_of(pun.bits + 1), number_of(pun.bits - 2)
            assert_survives(power)
            assert_survives(above)
            assert_survives(below)
        end
        for exponent = -323, 308 do
            assert.equal(1, count_digits(assert_survives(tonumber("1e" .. exponent))))
        end
        for _, text in ipairs { "0", "-0", "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308",
            "0.1", "0.3", "0.000001", "1e-7", "123456.789", "1700000000.123456", "1446249499322123",
            "9007199254740991", "9007199254740992", "-9007199254740992", "9.007199254740994e15", "1e20", "1e23" } do
            assert.equal(text, (json.encode(json.decode(text))))
        end
    end)

    it("have the fewest digits that there are", function()
        for _, number in ipairs(random_doubles(2000)) do
            local n = count_digits(assert_survives(number))
            if n > 1 then
                local shorter = ("%%.%de"):format(n - 2):format(number)
                assert.is_true(tonumber(shorter) ~= number, shorter)
            end
        end
        -- The nearest decimal of 16 digits is no help here, another one is.
        assert.equal("5.684341886080802e-14", (json.encode(2 ^ -44)))
    end)

    it("are rounded to the nearest double", function()
        for _ = 1, 5000 do
            local digits = tostring(random_bits()):gsub("ULL", ""):sub(1, math.random(1, 20))
            local point = math.random(1, #digits)
            local text = ("%s.%se%d"):format(digits:sub(1, point):gsub("^0+(.)", "%1"), digits:sub(point + 1) .. "0",
                math.random(-330, 300))
            local expected = tonumber(text)
            if expected < math.huge then
                assert.equal(bits_of(expected), bits_of((json.decode(text))), text)
            end
        end
        for _, case in ipairs {
            { "9007199254740993.0", 2 ^ 53 }, { "9007199254740993.00000000000000000000001", 2 ^ 53 + 2 },
            { "9007199254740995.0", 2 ^ 53 + 4 }, { "1e-400", 0 }, { "0e999", 0 }, { "-0.0", -0 }, { "100e-2", 1 },
            { "2.4703282292062327e-324", 0 }, { "2.4703282292062328e-324", 5e-324 },
            { "179769313486231570" .. ("0"):rep(291) .. ".0", 1.7976931348623157e308 },
            { "0." .. ("0"):rep(400) .. "1e401", 1 }, { "1e-99999999999999999999", 0 },
        } do
            assert.equal(bits_of(case[2]), bits_of((json.decode(case[1]))), case[1])
        end
    end)

    it("are an error beyond the range of doubles", function()
        for _, text in ipairs { "1e999", "-1e999", "1.8e308", "1e99999999999999999999", ("9"):rep(400) .. ".0" } do
            local value, message = json.decode("[" .. text .. "]")
            assert.is_nil(value)
            assert.matches("found a number beyond the range of doubles at character 2", message)
        end
        for _, number in ipairs { 1 / 0, -1 / 0, 0 / 0 } do
            assert.matches("must not be NaN or Inf", select(2, json.encode { number }))
            if number == number then
                assert.matches("must not be NaN or Inf", select(2, json.encode { [number] = 1 }))
            end
        end
    end)

    it("survive as keys", function()
        assert.equal('{"1446249499322123":1}', (json.encode { [1446249499322123] = 1 }))
        assert.equal('{"1446249499322123":1}', (json.encode(json.decode '{"1446249499322123":1}')))
        for _, number in ipairs { 0.1, -1, 2 ^ 53, 1e300, 1 / 3 } do
            assert.equal(('{"%s":true}'):format((json.encode(number))), (json.encode { [number] = true }))
        end
    end)
end)

describe("integers of JSON beyond 2^53", function()
    local BIG = { "9007199254740993", "-9007199254740993", "12345678901234567", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "18446744073709551615", "10000000000000000000" }

    it("are an error by default, also those that a double holds", function()
        for _, text in ipairs { BIG[1], BIG[2], BIG[7], "9007199254740994", "1152921504606846976", ("9"):rep(400) } do
            for _, options in ipairs { {}, { big_integers = "error" } } do
                local value, message = json.decode("[" .. text .. "]", options)
                assert.is_nil(value)
                assert.matches('found an integer beyond 2^53 (big_integers = "int64" or "string" takes it)'
                    .. " at character 2", message, 1, true)
            end
        end
    end)

    it("are boxed by option, and come out as they were", function()
        for _, text in ipairs(BIG) do
            local value = json.decode(text, { big_integers = "int64" })
            assert.equal("cdata", type(value))
            assert.equal(text, (json.encode(value)))
            assert.equal(('{"%s":1}'):format(text), (json.encode { [value] = 1 }))
        end
        assert.is_true(ffi.istype("int64_t", json.decode(BIG[4], { big_integers = "int64" })))
        assert.is_true(ffi.istype("uint64_t", json.decode(BIG[6], { big_integers = "int64" })))
        assert.equal(2 ^ 53, json.decode("9007199254740992", { big_integers = "int64" }))
        for _ = 1, 2000 do
            local value = ffi.cast("int64_t", random_bits())
            local back = assert(json.decode(json.encode(value), { big_integers = "int64" }))
            assert.is_true(back == value)
        end
    end)

    it("are an error beyond 64 bits even then", function()
        for _, text in ipairs { "18446744073709551616", "-9223372036854775809", "-18446744073709551615",
            "99999999999999999999", ("9"):rep(1000) } do
            local value, message = json.decode(text, { big_integers = "int64" })
            assert.is_nil(value)
            assert.matches("found an integer beyond 64 bits", message)
        end
    end)

    it("are strings of their digits by option", function()
        for _, text in ipairs { BIG[1], BIG[2], BIG[7], "18446744073709551616", ("9"):rep(1000) } do
            assert.equal(text, (json.decode(text, { big_integers = "string" })))
        end
        assert.equal(2 ^ 53 - 1, (json.decode("9007199254740991", { big_integers = "string" })))
    end)

    it("encode from any 64-bit cdata, and from no other", function()
        assert.equal("[5,18446744073709551615,-5]", (json.encode { 5LL, -1ULL, -5LL }))
        assert.matches("cdata: type not supported", select(2, json.encode(ffi.new("int[1]"))))
        assert.matches("cdata at %[1%]: type not supported", select(2, json.encode { ffi.new("int32_t", 1) }))
        assert.matches("a table key: type not supported", select(2, json.encode { [ffi.new("int[1]")] = 1 }))
    end)
end)
