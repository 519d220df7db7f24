#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- Writes a made-up access log in combined format, always the same log for the same seed.
--
--   stagehost scripts/make_access_log.lua [LINES [SEED]] > access.log      (default: 200000 1)
--
--   stagehost scripts/make_access_log.lua 2
--   10.0.4.167 - - [01/Jan/2026:00:00:00 +0000] "GET /docs/page-3 HTTP/1.1" 200 ...
local stagehost = require "stagehost"

local n_lines = tonumber(arg[1] or 200000)
local seed = tonumber(arg[2] or 1)
if not n_lines or n_lines < 0 or n_lines % 1 ~= 0 or not seed or seed < 1 then
    error("usage: stagehost make_access_log.lua [LINES [SEED]]", 0)
end

local Requests = stagehost.producer {
    init = function(self, args)
        self.left, self.state, self.second = args.n, args.seed % 2147483647, 0
    end,

    -- Park and Miller's generator: the same sequence on every machine.
    random = function(self, n)
        self.state = self.state * 16807 % 2147483647
        return self.state % n
    end,

    -- The random number is squared, so small numbers are frequent, as popular pages are.
    skewed = function(self, n)
        local x = self:random(10000) / 10000
        return math.floor(x * x * n)
    end,

    line = function(self)
        if self:random(500) == 0 then
            return "-- log rotated --"
        end
        self.second = self.second + self:random(3)
        local day = math.floor(self.second / 86400)
        local roll = self:random(100)
        local status = roll < 88 and 200 or roll < 93 and 304 or roll < 98 and 404 or 500
        return ('10.0.%d.%d - - [%02d/Jan/2026:%02d:%02d:%02d +0000] "%s /%s/page-%d HTTP/1.1" %d %s "-" "sample/1.0"')
            :format(self:skewed(8), self:skewed(256), day % 28 + 1, math.floor(self.second / 3600) % 24,
                math.floor(self.second / 60) % 60, self.second % 60,
                self:random(10) == 0 and "POST" or "GET",
                ({ "docs", "blog", "images", "api" })[self:random(4) + 1], self:skewed(200), status,
                status == 304 and "-" or tostring(self:random(60000)))
    end,

    handle_demand = function(self, demand)
        local lines = {}
        for i = 1, math.min(demand, self.left) do
            lines[i] = self:line()
        end
        self.left = self.left - #lines
        if self.left == 0 then
            return stagehost.stop("normal", lines)
        end
        return lines
    end,
}

local requests = assert(stagehost.start(Requests, { args = { n = n_lines, seed = seed } }))
local out = assert(stagehost.start(stagehost.sink.lines { path = "-" }, { subscribe_to = { requests } }))
out:join()
