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

--- What the JIT compiler makes of a loop is good for the function that the loop called while it was
--- compiled. So each selector and hash gets loops of its own: `make` is loaded anew for each.
--- It must have no upvalues; what it needs it gets as arguments.
local function with_own_code(make)
    local code = string.dump(make)
    return function(...)
        return loadstring(code)(...)
    end
end

local make_selector = with_own_code(function(choose)
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
end)

--- `select(events, first, n)` -> the chosen events of first + 1 .. first + n, and how many.
---@param choose fun(event: any): boolean
---@return fun(events: table, first: integer, n: integer): table, integer
function M.selector(choose)
    return make_selector(choose)
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

-- Up to `room` events go to a partition. state.at tells which event's hash raised.
local make_route = with_own_code(function(hash, index, state, lists, counts, skip)
    return function(events, from, last, room)
        for i = from, last do
            state.at = i
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
                skip(name, event)
            end
        end
    end
end)

--- The hash of events whose codes fill_codes has put into `codes`.
local make_code_hash = with_own_code(function(names, n_names, codes, state)
    return function()
        return names[codes[state.at] % n_names + 1]
    end
end)

--- `split(events, first, n, limit)` -> taken, skipped, bad, problem, lists, counts, refused. The events of
--- partition p are lists[p][1 .. counts[p]]; both tables belong to the splitter, the lists do not.
--- An event whose hash fails is skipped, and counted in bad with the first error as problem; all such
--- are in `refused`, a list of their own (nil: there are none).
---@param names (string|integer)[]
---@param hash? fun(event: any): any, any
---@param hash_events fun(codes: table, events: table, first: integer, last: integer)
---@return function
function M.splitter(names, hash, hash_events)
    local n_names, lists, counts, codes = #names, {}, new_table(#names, 0), {}
    local state = { at = 0, skipped = 0, bad = 0, problem = nil, refused = nil }
    local use_codes = hash == nil

    local function refuse(event, problem)
        state.bad = state.bad + 1
        state.problem = state.problem or problem:gsub("%z", "\\0") -- it ends at a zero byte in C
        state.refused = state.refused or {}
        state.refused[state.bad] = event
    end

    local function skip(name, event)
        state.skipped = state.skipped + 1
        if name ~= M.NONE then
            refuse(event, bad_answer(names, name))
        end
    end

    hash = hash or make_code_hash(names, n_names, codes, state)
    local route = make_route(hash, name_index(names), state, lists, counts, skip)

    -- As many as the last batch had is a good guess at how many there will be.
    local function reset(first)
        for p = 1, n_names do
            lists[p], counts[p] = new_table(counts[p] or 0, 0), 0
        end
        state.at, state.skipped, state.bad, state.problem, state.refused = first, 0, 0, nil, nil
    end

    return function(events, first, n, limit)
        reset(first)
        if use_codes then
            fill_codes(codes, events, first, n, hash_events)
        end
        while state.at < first + n do
            local room = limit - (state.at - first - state.skipped)
            if room == 0 then
                break
            end
            local ok, err = pcall(route, events, state.at + 1, first + n, room)
            if ok then
                break
            end
            state.skipped = state.skipped + 1
            refuse(events[state.at], tostring(err))
        end
        return state.at - first, state.skipped, state.bad, state.problem, lists, counts, state.refused
    end
end

return M
