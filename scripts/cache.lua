#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- A producer_consumer that answers demand from its cache: it asks its producer only for events that the cache
-- does not hold. Here a source makes five cards at some cost, and 20 are wanted.
--
--   stagehost scripts/cache.lua
--   dealt 1 2 3 4 5 1 2 3 4 5 1 2 3 4 5 1 2 3 4 5
--   20 cards for 5 that were made
local stagehost = require "stagehost"

local KINDS, WANTED = 5, 20

local Maker = stagehost.producer {
    init = function(self) self.made = 0 end,
    handle_demand = function(self, demand)
        local cards = {}
        for i = 1, math.min(demand, KINDS - self.made) do
            stagehost.sleep(1) -- making a card takes time
            cards[i] = self.made + i
        end
        self.made = self.made + #cards
        return cards
    end,
    handle_call = function(self) return self.made end,
}

local Cache = stagehost.producer_consumer {
    init = function(self) self.cards, self.at = {}, 0 end,

    -- Is called first. Demand it leaves unanswered goes to the producer, but none while the cache fills.
    handle_demand = function(self, demand)
        local cards = {}
        for i = 1, #self.cards == KINDS and demand or 0 do
            self.at = self.at % KINDS + 1
            cards[i] = self.cards[self.at]
        end
        return cards
    end,

    handle_events = function(self, cards)
        for _, card in ipairs(cards) do
            self.cards[#self.cards + 1] = card
        end
        return cards
    end,
}

local Player = stagehost.consumer {
    init = function(self) self.cards = {} end,
    handle_events = function(self, cards)
        for _, card in ipairs(cards) do
            self.cards[#self.cards + 1] = card
        end
        if #self.cards == WANTED then
            print("dealt " .. table.concat(self.cards, " "))
            return stagehost.stop()
        end
    end,
}

local maker = assert(stagehost.start(Maker))
local cache = assert(stagehost.start(Cache, { subscribe_to = { { to = maker, max_demand = KINDS } } }))
local player = assert(stagehost.start(Player, { subscribe_to = { { to = cache, max_demand = 4, min_demand = 0 } } }))
player:join()
print(("%d cards for %d that were made"):format(WANTED, maker:call()))
cache:stop()
maker:stop()
