-- SPDX-License-Identifier: MIT

--- Running a script's selector or hash over a whole batch. One call from C a batch; the loops are
--- plain Lua, so that they and the script's function compile to one trace. bindings/selector.c and
--- splitter.c keep what `selector` and `splitter` return for each of theirs.
local bit = require "bit"
local new_table = require "table.new"

local M = {}

--- What a hash answers for an event that no partition gets.
M.NONE = "none"

local bxor, lshift, rshift, tobit = bit.bxor, bit.lshift, bit.rshift, bit.tobit
local min = math.min

--- `select(events, first, n)` -> the chosen events of first + 1 .. first + n, and how many.
---@param choose fun(event: any): boolean
---@return fun(events: table, first: integer, n: integer): table, integer
function M.selector(choose)
    return function(events, first, n)
        local chosen, count = {}, 0
        for i = first + 1, first + n do
            local event = events[i]
            if choose(event) then
                count = count + 1
                chosen[count] = event
            end
        end
        return chosen, count
    end
end

--- Spreads the bits of an integer: shifts and sums only, since a product of two 32 bit numbers
--- does not fit a double. bindings/hash.c has the same for what is not an integer.
local function mix(x)
    local h = tobit(x + 0x3c6ef35f)
    h = bxor(h, rshift(h, 15))
    h = tobit(h + lshift(h, 10))
    h = bxor(h, rshift(h, 6))
    h = tobit(h + lshift(h, 3))
    h = bxor(h, rshift(h, 11))
    h = tobit(h + lshift(h, 15))
    return bxor(h, rshift(h, 16))
end

--- Fills codes[first + 1 .. first + n] with hashes of the events: of 32 bit integers here, from the
--- first other value on by one call of `hash_events`.
local function fill_codes(codes, events, first, n, hash_events)
    for i = first + 1, first + n do
        local event = events[i]
        if type(event) ~= "number" or tobit(event) ~= event then
            hash_events(codes, events, i, first + n)
            return
        end
        codes[i] = mix(event)
    end
end

-- Sized so that small integers live in the array part, text beside them.
local function name_index(names)
    local index = new_table(#names, #names)
    for p, name in ipairs(names) do
        index[name] = p
        index[tostring(name)] = index[tostring(name)] or p
    end
    return index
end

local function bad_answer(names, name)
    local known = {}
    for i = 1, min(#names, 20) do
        known[i] = tostring(names[i])
    end
    return ("a hash must answer one of the partitions (%s%s) or \"none\", got %s"):format(
        table.concat(known, ", "), #names > #known and ", ..." or "",
        type(name) == "string" and ("%q"):format(name) or tostring(name))
end

--- `split(events, first, n, limit)` -> taken, skipped, bad, problem, lists, counts. The events of
--- partition p are lists[p][1 .. counts[p]]; both tables belong to the splitter, the lists do not.
--- An event whose hash fails is skipped, and counted in bad with the first error as problem.
---@param names (string|integer)[]
---@param hash? fun(event: any): any, any
---@param hash_events fun(codes: table, events: table, first: integer, last: integer)
---@return function
function M.splitter(names, hash, hash_events)
    local index, n_names = name_index(names), #names
    local lists, counts, codes = {}, new_table(n_names, 0), {}
    local skipped, bad, problem, at = 0, 0, nil, 0
    local use_codes = hash == nil

    if use_codes then
        hash = function()
            return names[codes[at] % n_names + 1]
        end
    end

    -- As many as the last batch had is a good guess at how many there will be.
    local function reset()
        for p = 1, n_names do
            lists[p], counts[p] = new_table(counts[p] or 0, 0), 0
        end
        skipped, bad, problem = 0, 0, nil
    end

    local function skip(name)
        skipped = skipped + 1
        if name ~= M.NONE then
            bad = bad + 1
            problem = problem or bad_answer(names, name)
        end
    end

    -- Up to `room` events go to a partition. `at` tells which event's hash raised.
    local function route(events, from, last, room)
        for i = from, last do
            at = i
            local event = events[i]
            local name, replacement = hash(event)
            local p = index[name]
            if p then
                if replacement ~= nil then
                    event = replacement
                end
                local count = counts[p] + 1
                counts[p] = count
                lists[p][count] = event
                room = room - 1
                if room == 0 then
                    break
                end
            else
                skip(name)
            end
        end
    end

    return function(events, first, n, limit)
        reset()
        if use_codes then
            fill_codes(codes, events, first, n, hash_events)
        end
        at = first
        while at < first + n and at - first - skipped < limit do
            local room = limit - (at - first - skipped)
            local ok, err = pcall(route, events, at + 1, first + n, room)
            if ok then
                break
            end
            skipped, bad = skipped + 1, bad + 1
            problem = problem or tostring(err)
        end
        return at - first, skipped, bad, problem, lists, counts
    end
end

--- For specs.
M.mix = mix

return M
