-- SPDX-License-Identifier: MIT

--- Running a script's selector or hash over a whole batch. One call from C a batch; the loops are
--- plain Lua, so that they and the script's function compile to one trace. bindings/options/selector.c
--- and splitter.c keep what `selector` and `splitter` return for each of theirs.
local choice = require "stagehost.engine.choice"
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

-- Up to `room` events go to a partition. batch.at tells for which event `choose` raised.
local make_route = with_own_code(function(choose, batch, lists, counts)
    return function(events, from, last, room)
        for i = from, last do
            batch.at = i
            local event = events[i]
            local p, replacement = choose(event, i)
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
            end
        end
    end
end)

--- `split(events, first, n, limit)` -> taken, skipped, bad, problem, lists, counts, refused. The events of
--- partition p are lists[p][1 .. counts[p]]; both tables belong to the splitter, the lists do not.
--- An event whose hash fails is skipped, and counted in bad with the first error as problem; all such
--- are in `refused`, a list of their own (nil: there are none).
---@param names (string|integer)[]
---@param hash? string | fun(event: any): any, any
---@return function
function M.splitter(names, hash)
    local n_names, lists, counts = #names, {}, new_table(#names, 0)
    local batch = { at = 0, events = nil, first = 0, last = 0, hashed = 0 }
    local skipped, bad, problem, refused = 0, 0, nil, nil
    local describe = refusal.describer(names, hash)

    local function where()
        return ("event %d of %d"):format(batch.at - batch.first, batch.last - batch.first)
    end

    local function skip()
        skipped = skipped + 1
    end

    local function count_refused(event)
        skipped, bad = skipped + 1, bad + 1
        refused = refused or {}
        refused[bad] = event
    end

    local function refuse(answer, reason)
        local event = batch.events[batch.at]
        problem = problem or describe(where(), event, answer, reason)
        count_refused(event)
    end

    local route = make_route(choice.new(names, hash, batch, skip, refuse), batch, lists, counts)

    -- As many as the last batch had is a good guess at how many there will be.
    local function reset(events, first, n)
        for p = 1, n_names do
            lists[p], counts[p] = new_table(counts[p] or 0, 0), 0
        end
        batch.at, batch.events, batch.first, batch.last, batch.hashed = first, events, first, first + n, first
        if skipped > 0 then
            skipped, bad, problem, refused = 0, 0, nil, nil
        end
    end

    return function(events, first, n, limit)
        reset(events, first, n)
        while batch.at < first + n do
            local room = limit - (batch.at - first - skipped)
            if room == 0 then
                break
            end
            local ok, err = pcall(route, events, batch.at + 1, first + n, room)
            if ok then
                break
            end
            problem = problem or ("the hash failed with %s: %s"):format(where(), tostring(err))
            count_refused(events[batch.at])
        end
        batch.events = nil
        problem = problem and problem:gsub("%z", "\\0") -- it ends at a zero byte in C
        return batch.at - first, skipped, bad, problem, lists, counts, refused
    end
end

return M
