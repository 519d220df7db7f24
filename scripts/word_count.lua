#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Counts words of files or stdin, with one counter for each partition.
--
--   stagehost scripts/word_count.lua [FILE...]
--
--   echo "the cat and the dog" | stagehost scripts/word_count.lua
--         2  the
--         1  and
--         1  cat
--         1  dog
local stagehost = require "stagehost"

local PARTITIONS = 4
local paths = #arg > 0 and { unpack(arg) } or { "-" }

local Words = stagehost.producer_consumer {
    handle_events = function(_, lines)
        local words = {}
        for _, line in ipairs(lines) do
            for word in line:gmatch("%w+") do
                words[#words + 1] = word:lower()
            end
        end
        return words
    end,
}

-- Its counts are known when the last line has been counted.
local Count = stagehost.producer_consumer {
    init = function(self) self.counts = {} end,
    handle_events = function(self, words)
        for _, word in ipairs(words) do
            self.counts[word] = (self.counts[word] or 0) + 1
        end
    end,
    handle_end = function(self)
        local list = {}
        for word, n in pairs(self.counts) do
            list[#list + 1] = { word = word, n = n }
        end
        return list
    end,
}

local pipeline = stagehost.pipeline {
    max_restarts = 0,
    stages = {
        { name = "lines", stage = stagehost.source.lines { path = paths } },
        -- Events are spread by the words themselves, so equal words go to the same counter.
        { name = "words", stage = Words, subscribe_to = { "lines" },
            dispatcher = { "partition", partitions = PARTITIONS } },
        { name = "count", stage = Count, instances = PARTITIONS, subscribe_to = { "words" } },
        { name = "list", stage = stagehost.sink.collect(), subscribe_to = { "count" } },
    },
}
local running = assert(pipeline:start())
local list = assert(running:join()).list
table.sort(list, function(a, b)
    if a.n ~= b.n then
        return a.n > b.n
    end
    return a.word < b.word
end)
for _, entry in ipairs(list) do
    print(("%9d  %s"):format(entry.n, entry.word))
end
