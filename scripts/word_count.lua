#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Counts words of files or stdin, on all cores.
--
--   stagehost scripts/word_count.lua [FILE...]
--
--   echo "the cat and the dog" | stagehost scripts/word_count.lua
--         2  the
--         1  and
--         1  cat
--         1  dog
--
-- Each part of the files is read, cut into words and counted on a worker of its own; only counts go from there to
-- the counter of a word.
local stagehost = require "stagehost"

local n_counters = stagehost.workers()

local Words = stagehost.producer_consumer {
    handle_events = function(_, lines)
        local words, n = {}, 0
        for i = 1, #lines do
            for word in lines[i]:gmatch "%w+" do
                n = n + 1
                words[n] = word:lower()
            end
        end
        return words
    end,
}

local function pairs_of(counts)
    local list = {}
    for word, n in pairs(counts) do
        list[#list + 1] = { word = word, n = n }
    end
    return list
end

local Count = stagehost.producer_consumer {
    init = function(self) self.counts = {} end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            self.counts[event.word] = (self.counts[event.word] or 0) + event.n
        end
    end,
    handle_end = function(self) return pairs_of(self.counts) end,
}

local paths = #arg > 0 and { unpack(arg) } or "-"
local running = assert(stagehost.pipeline {
    max_restarts = 0,
    stages = {
        { name = "lines", stage = stagehost.source.lines { path = paths, parts = "auto" } },
        { name = "words", stage = Words, instances = "parts", subscribe_to = { "lines" }, dispatcher = {
            "partition",
            partitions = n_counters,
            hash = "word",
            combine = {
                init = function() return {} end,
                add = function(counts, word)
                    counts[word] = (counts[word] or 0) + 1
                    return counts
                end,
                emit = pairs_of,
                every = 1e9, -- at the end
            },
        } },
        { name = "count", stage = Count, instances = n_counters, subscribe_to = { "words" } },
        { name = "list", stage = stagehost.sink.collect(), subscribe_to = { "count" } },
    },
}:start())

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
