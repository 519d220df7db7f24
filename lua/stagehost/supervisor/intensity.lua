-- SPDX-License-Identifier: MIT

--- How many restarts a supervisor may make in a period of time. Only counts: it reads no clock.
---
--- Time is counted in whole seconds, as in OTP: a restart counts while it is at most `max_seconds`
--- old, so with 0 only those of the same second count.
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

--- Counts a restart, even one that fails. Returns false if it is one too many and the supervisor has to end.
---@param now number seconds of a clock that never goes back
---@param note? any kept with the restart, for Intensity:oldest
---@return boolean allowed
---@return integer count the restarts that count now, including this one
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

--- Returns the note of the oldest restart that still counts.
---@return any
function Intensity:oldest()
    return self.notes[self.first]
end

--- Makes a count of zero.
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
