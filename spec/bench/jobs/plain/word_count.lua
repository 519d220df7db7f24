-- SPDX-License-Identifier: MIT
--
-- The job of scripts/word_count.lua as a plain script, with the same list.
--   luajit word_count.lua FILE
local counts = {}
for line in io.lines(arg[1]) do
    for word in line:gmatch("%w+") do
        word = word:lower()
        counts[word] = (counts[word] or 0) + 1
    end
end

local words = {}
for word in pairs(counts) do
    words[#words + 1] = word
end
table.sort(words, function(a, b)
    if counts[a] ~= counts[b] then
        return counts[a] > counts[b]
    end
    return a < b
end)
for _, word in ipairs(words) do
    print(("%9d  %s"):format(counts[word], word))
end
