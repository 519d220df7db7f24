-- SPDX-License-Identifier: MIT
--
-- Writes made-up text: lines of 8 to 12 words out of a vocabulary whose frequencies follow Zipf's law, as those of
-- a language do. The text is always the same for the same arguments.
--   luajit make_words.lua [BYTES [VOCABULARY [SEED]]]      (default: 100000000 100000 1)
local n_bytes, n_words = tonumber(arg[1] or 1e8), tonumber(arg[2] or 100000)
local state = tonumber(arg[3] or 1)

-- Park and Miller's generator: the same sequence on every machine. Its numbers are above 0 and below 1.
local function random()
    state = state * 16807 % 2147483647
    return state / 2147483647
end

local syllables = {}
for consonant in ("bdfghklmnprstvw"):gmatch "." do
    for vowel in ("aeiou"):gmatch "." do
        syllables[#syllables + 1] = consonant .. vowel
    end
end

--- Makes the word of a rank: its syllables are the digits of the rank, so frequent words are short.
local function spell(rank)
    local word = ""
    repeat
        local digit = (rank - 1) % #syllables
        word = word .. syllables[digit + 1]
        rank = (rank - 1 - digit) / #syllables
    until rank == 0
    return word
end

local words, limits, sum = {}, {}, 0
for rank = 1, n_words do
    words[rank] = spell(rank)
    sum = sum + 1 / rank
    limits[rank] = sum
end

--- Draws a word: the first one whose share of all reaches that far.
local function draw()
    local share, low, high = random() * sum, 1, n_words
    while low < high do
        local middle = math.floor((low + high) / 2)
        if limits[middle] < share then
            low = middle + 1
        else
            high = middle
        end
    end
    return words[low]
end

local written, line = 0, {}
while written < n_bytes do
    local n = 8 + math.floor(random() * 5)
    for i = 1, n do
        line[i] = draw()
    end
    line[1] = line[1]:sub(1, 1):upper() .. line[1]:sub(2)
    local text = table.concat(line, " ", 1, n) .. ".\n"
    written = written + #text
    io.write(text)
end
