-- The JSON codec against random values, and beside lua-cjson where that is exact.
local cjson = require "cjson"
local ffi = require "ffi"
local json = require("stagehost").codec.json

local WORDS = { "", "a", "status", "\n\t\"\\/", "ä€😀", "\0", ("long "):rep(200), "1", "stagehost.integer:42",
    "\1stagehost.integer:42" }
local BOXED = { big_integers = "int64" }

local function random_number()
    local kind = math.random(6)
    if kind == 1 then
        return math.random(-1000, 1000)
    elseif kind == 2 then
        return math.random(0, 2 ^ 53) - 2 ^ 52
    elseif kind == 3 then
        return (math.random() - 0.5) * 10 ^ math.random(-300, 300)
    elseif kind == 4 then
        return math.random(-1e6, 1e6) / 1000
    elseif kind == 5 then
        return -0 * math.random(0, 1)
    end
    return ffi.cast("int64_t", math.random(2 ^ 30, 2 ^ 31 - 1)) * 2LL ^ 32 + math.random(0, 2 ^ 32 - 1)
end

local function random_value(depth)
    local kind = math.random(depth > 0 and 9 or 6)
    if kind == 1 then
        return math.random(2) == 1
    elseif kind == 2 then
        return json.null
    elseif kind <= 4 then
        return random_number()
    elseif kind <= 6 then
        return WORDS[math.random(#WORDS)]
    end
    local value = {}
    for i = 1, math.random(0, kind == 9 and math.random(40) == 1 and 80 or 5) do
        value[kind == 7 and i or WORDS[math.random(#WORDS)] .. i] = random_value(depth - 1)
    end
    return value
end

--- As a text that tells all values apart; the keys of maps in order.
local function describe_value(value, out)
    if type(value) ~= "table" then
        local text = type(value) == "number" and ("%.17g %g"):format(value, 1 / value) or tostring(value)
        out[#out + 1] = type(value) .. " " .. text
        return
    end
    local keys = {}
    for key in pairs(value) do
        keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
        return tostring(a) < tostring(b)
    end)
    out[#out + 1] = "{" .. type(keys[1])
    for _, key in ipairs(keys) do
        out[#out + 1] = key
        describe_value(value[key], out)
    end
    out[#out + 1] = "}"
end

local function text_of(value)
    local out = {}
    describe_value(value, out)
    return table.concat(out, "\n")
end

describe("the JSON codec", function()
    setup(function()
        math.randomseed(7)
    end)

    it("returns every random value as it was", function()
        for _ = 1, 500 do
            local value = random_value(3)
            local text = assert(json.encode(value))
            assert.is_true(text_of(value) == text_of((json.decode(text, BOXED))), text)
        end
    end)

    it("reads what lua-cjson reads, and is read by it", function()
        for _ = 1, 500 do
            local value = random_value(3)
            local text = assert(json.encode(value))
            local theirs = cjson.decode(text)
            if not text_of(value):find "cdata" then
                assert.is_true(text_of(value) == text_of(theirs), text)
            end
            -- What they have made 14 digits of is the same for both from then on.
            local rounded = cjson.encode(theirs)
            if not rounded:find "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d" then
                assert.is_true(text_of(cjson.decode(rounded)) == text_of((json.decode(rounded))), rounded)
            end
        end
    end)

    it("refuses the texts that lua-cjson refuses, but for no other reason than the standard's", function()
        local parts = { "{", "}", "[", "]", ",", ":", '"a"', '"b\\n"', "1 ", "-2.5e3 ", "true", "null", " ", '"', "x" }
        for _ = 1, 20000 do
            local text = {}
            for i = 1, math.random(1, 8) do
                text[i] = parts[math.random(#parts)]
            end
            text = table.concat(text)
            local ok, theirs = pcall(cjson.decode, text)
            local ours = json.decode(text)
            assert.equal(ok and theirs ~= nil, ours ~= nil, text)
            assert.is_true(not ok or text_of(theirs) == text_of(ours), text)
        end
    end)

    it("takes no mark of its own from the data", function()
        for _, text in ipairs {
            [[{"id":1446249499322123,"s":"\u0001stagehost.integer:42"}]],
            [[{"id":1446249499322123,"\u0001stagehost.integer:42":1}]],
        } do
            local value = json.decode(text)
            assert.same(value, (json.decode(json.encode(value))))
            assert.equal(1446249499322123, value.id)
        end
    end)
end)
