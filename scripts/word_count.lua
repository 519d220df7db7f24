#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Counts words of files or stdin, one counter a partition.
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

local Count = stagehost.consumer {
    init = function(self) self.counts = {} end,
    handle_events = function(self, words)
        for _, word in ipairs(words) do
            self.counts[word] = (self.counts[word] or 0) + 1
        end
    end,
    handle_cancel = function(self)
        self.done = true
        if self.asker then
            self.asker:reply(self.counts)
            return stagehost.stop("normal")
        end
    end,
    handle_call = function(self, _, from)
        if self.done then
            return stagehost.stop("normal", nil, self.counts)
        end
        self.asker = from
        return stagehost.noreply
    end,
}

local lines = assert(stagehost.start(stagehost.source.lines { path = paths }, { demand = "accumulate" }))
local words = assert(stagehost.start(Words, {
    subscribe_to = { lines },
    dispatcher = { "partition", partitions = PARTITIONS }, -- by the words themselves: equal ones meet
}))
local counters = {}
for i = 1, PARTITIONS do
    counters[i] = assert(stagehost.start(Count, { worker = "any" }))
    assert(counters[i]:subscribe { to = words, partition = i - 1, cancel = "temporary" })
end
lines:demand("forward")

local list = {}
for _, counter in ipairs(counters) do
    for word, n in pairs(assert(counter:call("counts", math.huge))) do
        list[#list + 1] = { word = word, n = n }
    end
end
table.sort(list, function(a, b)
    if a.n ~= b.n then
        return a.n > b.n
    end
    return a.word < b.word
end)
for _, entry in ipairs(list) do
    print(("%9d  %s"):format(entry.n, entry.word))
end
