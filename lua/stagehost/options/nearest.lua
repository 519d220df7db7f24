-- SPDX-License-Identifier: MIT

--- Guesses which known word was meant by an unknown one.

-- A word that is similar to such a short one is probably meant as it is.
local SHORT = 6

--- Makes handleEvents, handle_Events and HANDLE_EVENTS equal: they have the same letters.
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

--- Returns the word that was probably meant, if one is near.
---@param key string
---@param words table<string, any> as keys
---@param is_closed? boolean any word that is not in `words` is a mistake
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
