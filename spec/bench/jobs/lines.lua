-- SPDX-License-Identifier: MIT
--
-- source.lines to a consumer that counts. Prints: lines seconds.
--   stagehost -w 2 lines.lua same|across FILE
local stagehost = require "stagehost"
local uv = stagehost.uv

local Counter = stagehost.consumer {
    init = function(self, begin) self.n, self.begin = 0, begin end,
    handle_events = function(self, lines) self.n = self.n + #lines end,
    terminate = function(self) print(self.n, (uv.hrtime() - self.begin) / 1e9) end,
}

local begin = uv.hrtime() -- comparable in all threads
local lines = assert(stagehost.start(stagehost.source.lines { path = arg[2], progress = false }))
local counter = assert(stagehost.start(Counter, {
    args = begin,
    worker = arg[1] == "across" and 1 or 0,
    subscribe_to = { lines },
}))
counter:join()
