-- SPDX-License-Identifier: MIT
--
-- Says whether two programs have written the same lines, in whatever order. This module needs no engine.
local M = {}

local COMMA, BACKSLASH = (",\\"):byte(1, 2)

-- The writers of JSON differ in the order of fields, and in whether they escape a slash. The records of the bench
-- are flat, and have no comma within a string: the sum of the hashes of the fields is the same in every order. To
-- sort the fields themselves takes longer than all programs that are measured.
local function digest(line)
    local sum, hash = 0, 0
    for i = 2, #line - 1 do
        local byte = line:byte(i)
        if byte == COMMA then
            sum, hash = sum + hash, 0
        elseif byte ~= BACKSLASH then
            hash = bit.tobit(hash * 31 + byte)
        end
    end
    return sum + hash
end

--- What is compared of all lines, sorted, and the line of each.
local function sorted(text, is_json)
    local keys, lines = {}, {}
    for line in text:gmatch "[^\n]*\n?" do
        if line ~= "" then
            local key = is_json and digest((line:gsub("\n$", ""))) or line
            keys[#keys + 1], lines[key] = key, line
        end
    end
    table.sort(keys)
    return keys, lines
end

--- Compares the outputs of two programs after sorting their lines.
---@param expected string
---@param given string
---@param is_json? boolean lines are flat JSON objects, whose fields may be in any order
---@return string? difference nil: there is none
function M.compare(expected, given, is_json)
    if expected == given then
        return nil
    end
    local left, left_lines = sorted(expected, is_json)
    local right, right_lines = sorted(given, is_json)
    for i = 1, math.max(#left, #right) do
        if left[i] ~= right[i] then
            return ("line %d after sorting is %q and should be %q (%d lines, and should be %d)"):format(i,
                right_lines[right[i] or 0] or "missing", left_lines[left[i] or 0] or "missing", #right, #left)
        end
    end
end

--- The numbers of a report by their names: "name number" before the first empty line, or "number  name".
local function numbers(text, into)
    for line in (text .. "\n"):gmatch "([^\n]*)\n" do
        if line == "" then
            break
        end
        local n, name = line:match "^ *(%d+)  (.*)$"
        if not n then
            name, n = line:match "^(.-) +(%d+)$"
        end
        into[name or line] = (into[name or line] or 0) + (tonumber(n) or 1)
    end
    return into
end

--- Compares a report about the whole input with the sum of two reports about its halves. What follows an empty
--- line, the most frequent names of a part, has no sum, and is left out.
---@param whole string
---@param halves string[]
---@return string? difference nil: there is none
function M.compare_sum(whole, halves)
    local expected, given = numbers(whole, {}), numbers(halves[2], numbers(halves[1], {}))
    for name, n in pairs(expected) do
        if given[name] ~= n then
            return ("%s: the halves have %s, and the whole %d"):format(name, given[name] or "nothing", n)
        end
    end
    for name in pairs(given) do
        if not expected[name] then
            return ("%s: a half has it, and the whole does not"):format(name)
        end
    end
end

return M
