-- SPDX-License-Identifier: MIT

--- Error texts for events that a hash refuses.
local choice = require "stagehost.engine.choice"

local M = {}

local MOST_NAMES, MOST_TEXT = 20, 60

--- The values that a hash may return, or a field may have, as text.
local function list_answers(names, is_field)
    local known = {}
    for i = 1, math.min(#names, MOST_NAMES) do
        known[i] = tostring(names[i])
    end
    local none = is_field and "" or choice.has_words(names) and ' or "none"' or ', "none",'
    return ("one of the partitions (%s%s)%s%s"):format(table.concat(known, ", "), #names > #known and ", ..." or "",
        none, choice.has_words(names) and "" or " or a value to spread events by")
end

local function show(answer)
    local kind = type(answer)
    if kind == "string" then
        return ("%q"):format(#answer > MOST_TEXT and answer:sub(1, MOST_TEXT) .. "..." or answer)
    elseif kind == "number" or kind == "boolean" or kind == "nil" then
        return tostring(answer)
    end
    return "a " .. kind
end

local function describe_field(names, field, where, event, answer)
    local kind = type(event)
    if kind ~= "table" then
        return ("%s is a %s, which has no field %q"):format(where, kind, field)
    elseif answer == nil then
        return ("%s has no field %q"):format(where, field)
    end
    return ("the field %q of %s is %s; it must be %s"):format(field, where, show(answer), list_answers(names, true))
end

--- Makes a function that describes what is wrong with one event.
---@param names (string|integer)[] of the partitions
---@param hash? string | function
---@return fun(where: string, event: any, answer: any, reason: string?): string
function M.describer(names, hash)
    return function(where, event, answer, reason)
        local text
        if hash == nil then
            text = ("%s can't be spread by its value"):format(where)
        elseif type(hash) == "string" then
            text = describe_field(names, hash, where, event, answer)
        else
            text = ("the hash returned %s for %s; it must return %s"):format(show(answer), where, list_answers(names))
        end
        return reason and text .. ": " .. reason or text
    end
end

return M
