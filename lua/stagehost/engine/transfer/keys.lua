-- SPDX-License-Identifier: MIT

--- Dictionaries for lists of records: the serializer writes the keys that the first record has as small numbers, in
--- all records, whatever else they have. That saves making each key a string again for each record, which is half of
--- the time of reading them. A parcel names its dictionary by a text, which both sides know after the first time.
local ffi = require "ffi"

local M = {}

local concat, next, type = table.concat, next, type

local MOST_KEYS = 64
local MOST_DEPTH = 3
-- So many dictionaries are known at a time.
local MOST = 64

local parts = {}

-- Adds the keys of a table, and of those in it; returns the number of parts.
local function add(record, n, depth)
    for key, value in next, record do
        if type(key) == "string" and n < 3 * MOST_KEYS then
            parts[n + 1], parts[n + 2], parts[n + 3] = #key, ":", key
            n = n + 3
        end
        if type(value) == "table" and depth < MOST_DEPTH then
            n = add(value, n, depth + 1)
        end
    end
    return n
end

-- The keys in a text such as `2:id4:name`, each once.
local function parse(text)
    local keys, seen, at = {}, {}, 1
    while at <= #text do
        local length, first = text:match("^(%d+):()", at)
        local key = text:sub(first, first + length - 1)
        at = first + length
        if not seen[key] then
            seen[key] = true
            keys[#keys + 1] = key
        end
    end
    return keys
end

---@class stagehost.transfer.Dictionary
---@field options table of string.buffer.new
---@field head string begins a parcel
---@field encoder? string.buffer
---@field decoder? string.buffer

--- Makes the dictionaries of a state.
---@param metatables table[] the metatables that events keep
---@return fun(record: table): stagehost.transfer.Dictionary? find for a list that begins with `record`
---@return fun(address: ffi.cdata*): stagehost.transfer.Dictionary, integer read of a parcel, and the length of its head
function M.open(metatables)
    local known, n_known = {}, 0

    local function get(text)
        local dictionary = known[text]
        if not dictionary then
            if n_known == MOST then
                known, n_known = {}, 0
            end
            local head = ffi.string(ffi.new("uint32_t[1]", #text), 4) .. text
            dictionary = { options = { dict = parse(text), metatable = metatables }, head = head }
            known[text], n_known = dictionary, n_known + 1
        end
        return dictionary
    end

    local function find(record)
        local n = add(record, 0, 1)
        return n > 0 and get(concat(parts, "", 1, n)) or nil
    end

    local function read(address)
        local length = ffi.cast("const uint32_t *", address)[0]
        return get(ffi.string(address + 4, length)), 4 + length
    end

    return find, read
end

return M
