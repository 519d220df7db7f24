-- SPDX-License-Identifier: MIT

--- Runs a script's selector or hash over a whole batch. C makes one call for each batch; the loops are
--- plain Lua, so that they and the script's function compile to one trace. bindings/options/selector.c
--- and splitter.c keep the functions that `selector` and `splitter` return.
local choice = require "stagehost.engine.choice"
local ffi = require "ffi"
local new_table = require "table.new"
local refusal = require "stagehost.engine.refusal"
local with_own_code = require "stagehost.engine.own_code"

local M = {}

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

-- `counts` holds integers of C, which are increased without being converted. Every event that was tried is counted
-- there or skipped, unless `choose` raises an error; so the event that it failed for is known.
local make_route = with_own_code(function(choose)
    return function(events, from, last, lists, counts)
        for i = from, last do
            local event = events[i]
            local p, replacement = choose(event, i)
            if p then
                if replacement ~= nil then
                    event = replacement
                end
                local count = counts[p] + 1
                counts[p] = count
                lists[p][count] = event
            end
        end
    end
end)

--- `split(events, first, n, limit)` -> taken, skipped, bad, problem, lists, counts, refused. The events of
--- partition p are lists[p][1 .. counts[p]]; `lists` and `counts` belong to the splitter, the lists in `lists` do not;
--- `counts` is the same array of int32_t in every call.
--- An event whose hash fails is skipped, and counted in bad with the first error as problem; all such
--- events are in the list `refused` (nil: there are none).
---@param names (string|integer)[]
---@param hash? string | fun(event: any): any, any
---@return function
function M.splitter(names, hash)
    local n_names, lists, counts = #names, {}, ffi.new("int32_t[?]", #names + 1)
    local batch = { events = nil, first = 0, last = 0, hashed = 0 }
    local skipped, bad, problem, refused = 0, 0, nil, nil
    local describe = refusal.describer(names, hash)

    local function where(i)
        return ("event %d of %d"):format(i - batch.first, batch.last - batch.first)
    end

    local function skip()
        skipped = skipped + 1
    end

    local function count_refused(event)
        skipped, bad = skipped + 1, bad + 1
        refused = refused or {}
        refused[bad] = event
    end

    local function refuse(i, answer, reason)
        local event = batch.events[i]
        problem = problem or describe(where(i), event, answer, reason)
        count_refused(event)
    end

    local route = make_route(choice.new(names, hash, batch, skip, refuse))

    -- The number of the last batch is a good guess at how many events there will be.
    local function reset(events, first, n)
        for p = 1, n_names do
            lists[p], counts[p] = new_table(counts[p], 0), 0
        end
        batch.events, batch.first, batch.last, batch.hashed = events, first, first + n, first
        if skipped > 0 then
            skipped, bad, problem, refused = 0, 0, nil, nil
        end
    end

    -- The number of events that have been put into a partition.
    local function count_routed()
        local sum = 0
        for p = 1, n_names do
            sum = sum + counts[p]
        end
        return sum
    end

    -- After an error of the hash: the number of the last event that is done.
    local function refuse_raised(events, first, err)
        local at = first + count_routed() + skipped + 1
        problem = problem or ("the hash failed with %s: %s"):format(where(at), tostring(err))
        count_refused(events[at])
        return at
    end

    return function(events, first, n, limit)
        reset(events, first, n)
        local at, last = first, first + n
        while at < last do
            local room = limit - (at - first - skipped)
            if room == 0 then
                break
            end
            local to = at + room < last and at + room or last
            local ok, err = pcall(route, events, at + 1, to, lists, counts)
            at = ok and to or refuse_raised(events, first, err)
        end
        batch.events = nil
        problem = problem and problem:gsub("%z", "\\0") -- it ends at a zero byte in C
        return at - first, skipped, bad, problem, lists, counts, refused
    end
end

return M
