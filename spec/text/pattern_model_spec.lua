-- SPDX-License-Identifier: MIT

--- Patterns translated for PCRE2 find what string.find finds: the same places, the same captures, the same errors,
--- for random patterns and random subjects. $STAGEHOST_SEEDS is the number of seeds; without it, the test goes on
--- for a second or for 400 seeds.
local text = require "stagehost.core.text"
local uv = require("stagehost").uv

local SEEDS, BUDGET_MS, PATTERNS, SUBJECTS = tonumber(os.getenv "STAGEHOST_SEEDS"), 1000, 100, 4

local random = math.random

local function one_of(list)
    return list[random(#list)]
end

--- Mostly bytes that patterns and subjects share.
local BYTES = {
    "a", "a", "b", "b", "c", "1", "2", " ", "(", ")", "(", ")", "x", "y", "[", "]", "%", "-", "^", "$", ".", "_",
    "A", "\n", "\0", "\127", "\128", "\255",
}
local CLASSES = { "a", "c", "d", "g", "l", "p", "s", "u", "w", "x", "z", "A", "C", "D",
    "G", "L", "P", "S", "U", "W", "X", "Z" }
local LITERALS = { "a", "b", "c", "1", " ", "_", "]", "\128", "\255", "x", "-", "^", "$", "*", "?", "+" }

local function escaped()
    local byte = one_of(BYTES)
    return byte == "\0" and "%z" or byte:find "%w" and byte or "%" .. byte
end

local function set_item()
    local kind = random(6)
    if kind == 1 then
        return "%" .. one_of(CLASSES)
    elseif kind == 2 then
        return one_of { "a-c", "0-9", "A-b", "c-a", " -~", "\128-\255", "%a-z", "a-%%", "!-]" }
    elseif kind == 3 then
        return escaped()
    end
    return one_of(LITERALS)
end

local function set()
    local items = { one_of { "[", "[", "[^" } }
    if random(8) == 1 then
        items[2] = "]"
    end
    for _ = 1, random(3) do
        items[#items + 1] = set_item()
    end
    return table.concat(items) .. "]"
end

local function single()
    local kind = random(8)
    if kind == 1 then
        return "."
    elseif kind == 2 then
        return set()
    elseif kind == 3 then
        return "%" .. one_of(CLASSES)
    elseif kind <= 5 then
        return escaped()
    end
    return one_of(LITERALS)
end

local function item(captures)
    local kind = random(24)
    if kind == 1 then
        return one_of { "%b()", "%bab", "%baa", "%b[]", "%b\1\2", "%b%a", "%bxy" }
    elseif kind == 2 then
        return "%f" .. set()
    elseif kind == 3 then
        return "()"
    elseif kind == 4 and captures > 0 then
        return "%" .. random(captures)
    end
    return single() .. one_of { "", "", "", "*", "+", "-", "?" }
end

--- A pattern that is valid, but for references to captures that are still open.
local function valid_pattern()
    local parts, open, captures = { random(5) == 1 and "^" or "" }, 0, 0
    for _ = 1, random(0, 8) do
        if random(6) == 1 and captures < 9 then
            parts[#parts + 1] = "("
            open, captures = open + 1, captures + 1
        end
        local part = item(captures)
        captures = captures + (part == "()" and 1 or 0)
        parts[#parts + 1] = part
        if open > 0 and random(3) == 1 then
            parts[#parts + 1] = ")"
            open = open - 1
        end
    end
    return table.concat(parts) .. (")"):rep(open) .. (random(5) == 1 and "$" or "")
end

--- Special characters in any order.
local function wild_pattern()
    local parts = {}
    for i = 1, random(0, 7) do
        parts[i] = one_of {
            "%", "[", "]", "^", "$", "(", ")", "-", "*", "+", "?", ".", "a", "b", "f", "b", "1", "0", "z",
        }
    end
    return table.concat(parts)
end

local function plain_pattern()
    local parts = {}
    for i = 1, random(0, 3) do
        parts[i] = one_of { "a", "b", ")", "]", "\0", "\255", "1" }
    end
    return table.concat(parts)
end

local function subject()
    local parts = {}
    for i = 1, random(0, 24) do
        parts[i] = one_of(BYTES)
    end
    return table.concat(parts)
end

local function describe_call(pattern, given, init)
    return ("find(%q, %q, %d)"):format(given, pattern, init)
end

--- Lua's results or its message, without the place where it was raised.
local function expected_of(pattern, given, init)
    local results = { pcall(string.find, given, pattern, init) }
    if not results[1] then
        return nil, (results[2]:gsub("^.-:%d+: ", ""))
    end
    table.remove(results, 1)
    return results
end

local function check(pattern)
    local compiled, problem = text.pattern(pattern)
    for _ = 1, SUBJECTS do
        local given = subject()
        local init = random(4) == 1 and random(#given + 1) or 1
        local expected, expected_problem = expected_of(pattern, given, init)
        if compiled then
            assert(expected, describe_call(pattern, given, init) .. " raised " .. tostring(expected_problem))
            local actual = { compiled:find(given, init) }
            if expected[1] == nil then
                expected = {}
            end
            assert.same(expected, actual, describe_call(pattern, given, init))
        elseif expected_problem then
            assert.equal(expected_problem, problem, describe_call(pattern, given, init))
        end
    end
    return compiled ~= nil
end

local function run_seed(seed)
    math.randomseed(seed)
    local n_compiled = 0
    for _ = 1, PATTERNS do
        local kind = random(10)
        local pattern = kind == 1 and plain_pattern() or kind <= 3 and wild_pattern() or valid_pattern()
        if check(pattern) then
            n_compiled = n_compiled + 1
        end
    end
    return n_compiled
end

describe("a translated pattern", function()
    it("finds what string.find finds", function()
        local started, seed, n_compiled = uv.hrtime(), 0, 0
        while seed < (SEEDS or 400) and (SEEDS or seed == 0 or uv.hrtime() - started < BUDGET_MS * 1e6) do
            seed = seed + 1
            n_compiled = n_compiled + run_seed(seed)
        end
        assert.is_true(n_compiled > seed * PATTERNS / 2, n_compiled .. " patterns were valid")
    end)

    it("has the classes of string.find, for each byte", function()
        for class = 0, 255 do
            local name = string.char(class)
            local given = ("^%%%s$"):format(name)
            local compiled = text.pattern(given)
            for byte = 0, 255 do
                local one = string.char(byte)
                -- The end of a pattern, for string.find, is a NUL byte.
                local expected = class > 0 and not name:find "[bf0-9]" and one:find(given)
                if class > 0 and not name:find "[bf0-9]" then
                    assert.equal(expected, compiled:find(one), ("%q %q"):format(given, one))
                end
            end
        end
    end)
end)
