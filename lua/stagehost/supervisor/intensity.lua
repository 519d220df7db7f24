-- SPDX-License-Identifier: MIT

--- How many restarts a supervisor may make within how much time. A pure count: it reads no clock.
---
--- Time is counted in whole seconds, as in OTP: a restart counts while it is at most `max_seconds`
--- old, so with 0 those of the same second count.
local checks = require "stagehost.options.checks"

local M = {}

M.DEFAULT_MAX_RESTARTS = 3
M.DEFAULT_MAX_SECONDS = 5

--- The checks of the two options, for the schema of a supervisor.
M.schema = {
    max_restarts = checks.integer(0),
    max_seconds = checks.integer(0),
}

---@class stagehost.Intensity
---@field max_restarts integer
---@field max_seconds integer
---@field times integer[]
---@field notes any[]
local Intensity = {}
Intensity.__index = Intensity

--- Counts a restart, also one that fails. False: it is one too many, the supervisor has to end.
---@param now number seconds of a clock that never goes back
---@param note? any kept with it, for Intensity:oldest
---@return boolean allowed
---@return integer count those that count now, with this one
function Intensity:add(now, note)
    now = math.floor(now)
    self.last = self.last + 1
    self.times[self.last], self.notes[self.last] = now, note
    while self.first <= self.last and now - self.times[self.first] > self.max_seconds do
        self.times[self.first], self.notes[self.first] = nil, nil
        self.first = self.first + 1
    end
    local count = self.last - self.first + 1
    return count <= self.max_restarts, count
end

--- What was noted with the oldest restart that still counts.
---@return any
function Intensity:oldest()
    return self.notes[self.first]
end

--- A count that stands at zero.
---@param max_restarts? integer default 3
---@param max_seconds? integer default 5
---@return stagehost.Intensity
function M.new(max_restarts, max_seconds)
    return setmetatable({
        max_restarts = max_restarts or M.DEFAULT_MAX_RESTARTS,
        max_seconds = max_seconds or M.DEFAULT_MAX_SECONDS,
        times = {}, -- of the restarts that count, by number
        notes = {},
        first = 1,
        last = 0,
    }, Intensity)
end

return M
