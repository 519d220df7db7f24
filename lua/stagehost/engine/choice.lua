-- SPDX-License-Identifier: MIT

--- Chooses the partition that an event goes to, by a function of the script, by a field of the event, or by the
--- event itself. A loop of routing.lua calls the functions made here for every event, and they compile into it.
local bit = require "bit"
local core = require "stagehost.core"
local ffi = require "ffi"
local new_table = require "table.new"
local tables = require "stagehost.options.tables"
local with_own_code = require "stagehost.engine.own_code"

local M = {}

-- The place of one string or number among n, from 0: functions of bindings/options/hash.c. Compiled Lua calls
-- them without leaving its trace.
local natives = ffi.cast([[const struct {
    uint32_t (*string)(const char *data, size_t len, uint32_t n);
    uint32_t (*number)(double value, uint32_t n);
} *]], core.hash_natives())

--- For functions without upvalues. A hash returns `none` for an event that goes to no partition.
local toolbox = {
    type = type, tonumber = tonumber, tobit = bit.tobit, none = "none",
    string_place = natives.string, number_place = natives.number, hash = core.try_hash, hash_events = core.hash_events,
}

--- For fields, which hold data: there the word "none" is a value like any other.
local field_toolbox = tables.copy(toolbox, { none = {} })

--- `place(answer)` -> the partition for an answer that is not simply the name of one: events are spread by its
--- value. nil: the event goes to no partition, or was refused.
local make_place = with_own_code(function(n, index, tools, skip, refuse)
    local type, tonumber, none, hash = tools.type, tools.tonumber, tools.none, tools.hash
    local string_place, number_place = tools.string_place, tools.number_place

    local function place_other(answer, i, kind)
        local p = kind == "cdata" and index[tonumber(answer)]
        if p then
            return p
        end
        local place, problem = hash(answer, n)
        if place then
            return place + 1
        end
        refuse(i, answer, answer ~= nil and problem or nil)
    end

    return function(answer, i)
        local kind = type(answer)
        if kind == "number" then
            return answer % 1 == 0 and index[answer] or number_place(answer, n) + 1
        elseif answer == none then
            skip()
            return nil
        elseif kind == "string" then
            return string_place(answer, #answer, n) + 1
        end
        return place_other(answer, i, kind)
    end
end)

--- Makes `place` for partitions with names that are no numbers. Such names have a meaning, so an answer must be
--- one of them, and a misspelt name does not send events to a wrong partition.
local make_named_place = with_own_code(function(tools, skip, refuse)
    local none = tools.none
    return function(answer, i)
        if answer == none then
            skip()
        else
            refuse(i, answer)
        end
    end
end)

--- Makes `choose(event)` from a script's function, which may also replace the event. `index` has the numbers of the
--- partitions by name. Fractions are never looked up in it: the JIT compiler can't do that in a table with an
--- array part.
local make_answer_choice = with_own_code(function(hash, index, place, tools)
    local type, tobit = tools.type, tools.tobit
    return function(event, i)
        local answer, replacement = hash(event)
        local p
        if type(answer) ~= "number" or tobit(answer) == answer then
            p = index[answer]
        end
        return p or place(answer, i), replacement
    end
end)

--- Makes `choose(event)` for partitions that are called 0 to n - 1.
local make_number_choice = with_own_code(function(hash, n, index, place, tools)
    local type, tobit = tools.type, tools.tobit
    return function(event, i)
        local answer, replacement = hash(event)
        local p
        if type(answer) == "number" then
            p = tobit(answer)
            if p == answer and p >= 0 and p < n then
                return p + 1, replacement
            end
        else
            p = index[answer]
            if p then
                return p, replacement
            end
        end
        return place(answer, i), replacement
    end
end)

--- Makes a function of a hash that is the name of a field.
local make_field_hash = with_own_code(function(field, tools)
    local type = tools.type
    return function(event)
        if type(event) == "table" then
            return event[field]
        end
    end
end)

--- Makes `choose(event, i)` by the event's own value. From the first event that is neither number nor string, the
--- rest of the batch is hashed by one call.
local make_value_choice = with_own_code(function(n, batch, tools, refuse)
    local type, string_place, number_place = tools.type, tools.string_place, tools.number_place
    local hash_events, places = tools.hash_events, {}

    local function place_at(i)
        if i > batch.hashed then
            hash_events(places, batch.events, i, batch.last, n)
            batch.hashed = batch.last
        end
        local p = places[i]
        if type(p) == "number" then
            return p
        end
        refuse(i, nil, p)
    end

    return function(event, i)
        local kind = type(event)
        if kind == "number" then
            return number_place(event, n) + 1
        elseif kind == "string" then
            return string_place(event, #event, n) + 1
        end
        return place_at(i)
    end
end)

local function index_names(names)
    local index = new_table(#names, #names)
    for p, name in ipairs(names) do
        index[name] = p
        index[tostring(name)] = index[tostring(name)] or p
    end
    return index
end

local function are_counted(names)
    for p, name in ipairs(names) do
        if name ~= p - 1 then
            return false
        end
    end
    return true
end

--- Whether partitions have names that are no numbers.
---@param names (string|integer)[]
---@return boolean
function M.has_words(names)
    for _, name in ipairs(names) do
        if type(name) ~= "number" then
            return true
        end
    end
    return false
end

--- `choose(event, i)` -> the number of the partition of events[i] of the batch, and a value that replaces the event.
--- If it returns nil, it has called skip() (the event goes to no partition) or refuse(i, answer, reason) (an error).
---@param names (string|integer)[] of the partitions
---@param hash? string | fun(event: any): any, any
---@param batch { events: any[], last: integer, hashed: integer } the one being split, hashed up to `hashed`
---@param skip fun()
---@param refuse fun(i: integer, answer: any, reason: string?)
---@return fun(event: any, i: integer): integer?, any
function M.new(names, hash, batch, skip, refuse)
    local tools = toolbox
    if not hash then
        return make_value_choice(#names, batch, tools, refuse)
    elseif type(hash) == "string" then
        tools = field_toolbox
        hash = make_field_hash(hash, tools)
    end
    local index = index_names(names)
    local place
    if M.has_words(names) then
        place = make_named_place(tools, skip, refuse)
    else
        place = make_place(#names, index, tools, skip, refuse)
    end
    if are_counted(names) then
        return make_number_choice(hash, #names, index, place, tools)
    end
    return make_answer_choice(hash, index, place, tools)
end

return M
