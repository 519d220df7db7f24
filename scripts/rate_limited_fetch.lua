#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Fetchers that share one limit: the source of the addresses has a rate, so that all fetchers together
-- begin at most 5 requests in any 50 ms, evenly spread. Pages are stored in batches of 8, or of
-- fewer after 100 ms.
--
--   stagehost scripts/rate_limited_fetch.lua
--   stored 30 pages, in batches of at most 8
--   fetched 30 pages with 3 fetchers: as slowly as they must be
local stagehost = require "stagehost"

local PAGES, FETCHERS = 30, 3
local RATE = { events = 5, per_ms = 50 }

--- Simulates a request: the stage waits, the others go on.
local function fetch(address)
    stagehost.sleep(3)
    return "the page of " .. address
end

local Fetcher = stagehost.producer_consumer {
    handle_events = function(_, addresses)
        local pages = {}
        for i, address in ipairs(addresses) do
            pages[i] = fetch(address)
        end
        return pages
    end,
}

local Store = stagehost.consumer {
    init = function(self) self.count, self.largest = 0, 0 end,
    handle_events = function(self, pages)
        self.count = self.count + #pages
        self.largest = math.max(self.largest, #pages)
    end,
    terminate = function(self)
        assert(self.largest <= 8)
        print(("stored %d pages, in batches of at most 8"):format(self.count))
    end,
}

local addresses = {}
for i = 1, PAGES do
    addresses[i] = "http://example.org/" .. i
end

local began = stagehost.uv.hrtime()
local source = assert(stagehost.start(stagehost.source.list(addresses), { rate = RATE, demand = "accumulate" }))
local from = {}
for i = 1, FETCHERS do
    local fetcher = assert(stagehost.start(Fetcher, { subscribe_to = { { to = source, max_demand = 2 } } }))
    from[i] = { to = fetcher, max_demand = 10, batch = { size = 8, timeout_ms = 100 } }
end
local store = assert(stagehost.start(Store, { subscribe_to = from, end_with_last = true }))
source:demand("forward")

store:join()
local ms = (stagehost.uv.hrtime() - began) / 1e6
local least_ms = (PAGES / RATE.events - 1) * RATE.per_ms
print(("fetched %d pages with %d fetchers: %s"):format(PAGES, FETCHERS,
    ms >= least_ms and "as slowly as they must be" or "too fast"))
