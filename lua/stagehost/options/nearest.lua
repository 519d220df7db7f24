-- SPDX-License-Identifier: MIT

--- What somebody meant by a word that is none.

-- What is similar to such a short word is likely on purpose.
local SHORT = 6

--- handleEvents, handle_Events, HANDLE_EVENTS: the same letters.
local function letters(word)
    return (word:lower():gsub("_", ""))
end

--- Whether at most `limit` letters were added, left out or changed between two words.
local function is_near(a, b, limit)
    if math.abs(#a - #b) > limit then
        return false
    end
    local previous = {}
    for j = 0, #b do
        previous[j] = j
    end
    for i = 1, #a do
        local row = { [0] = i }
        for j = 1, #b do
            local change = previous[j - 1] + (a:byte(i) == b:byte(j) and 0 or 1)
            row[j] = math.min(change, previous[j] + 1, row[j - 1] + 1)
        end
        previous = row
    end
    return previous[#b] <= limit
end

--- The word that was meant, if one is near.
---@param key string
---@param words table<string, any> as keys
---@param is_closed? boolean what is none of the words is a mistake in any case
---@return string?
return function(key, words, is_closed)
    local best
    for word in pairs(words) do
        local a, b = letters(key), letters(word)
        local limit = is_closed and (#b >= SHORT and 2 or 1) or #b >= 12 and 2 or 1
        if a == b or (is_closed or #word > SHORT) and is_near(a, b, limit) then
            best = best and best < word and best or word
        end
    end
    return best
end
