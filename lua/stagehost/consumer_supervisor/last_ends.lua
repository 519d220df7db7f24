-- SPDX-License-Identifier: MIT

--- The ends of children while their supervisor is told of nothing any more, because it runs its terminate:
--- a stage beside it, on the same worker, watches them.
local stagehost = require "stagehost"

local M = {}

---@class stagehost.ConsumerSupervisor.LastEnds
---@field stage stagehost.Stage
---@field ended { stage: stagehost.Stage, reason: stagehost.Reason }[] by number
---@field first integer
---@field last integer
---@field wake? fun() the supervisor waits for the next one
local LastEnds = {}
LastEnds.__index = LastEnds

local callbacks = {}

function callbacks.handle_cast(_, child)
    stagehost.monitor(child)
end

function callbacks.handle_down(self, stage, reason)
    local ends = self.ends
    if reason == "noproc" then -- had ended before: its reason is kept for who joins
        reason = stage:join()
    end
    ends.last = ends.last + 1
    ends.ended[ends.last] = { stage = stage, reason = reason }
    if ends.wake then
        ends.wake()
    end
end

function callbacks.handle_events() end

--- Also a consumer only so that a drain lets it live for as long as the supervisor.
---@return stagehost.ConsumerSupervisor.LastEnds
function M.new()
    local ends = setmetatable({ ended = {}, first = 1, last = 0 }, LastEnds)
    ends.stage = assert(stagehost.start(stagehost.consumer {
        handle_cast = callbacks.handle_cast,
        handle_down = callbacks.handle_down,
        handle_events = callbacks.handle_events,
        ends = ends,
    }, { link = true }))
    return ends
end

--- Watches one more. One that has ended already counts.
---@param child stagehost.Stage
function LastEnds:add(child)
    self.stage:cast(child)
end

--- The next one that has ended, and why. Waits.
---@return stagehost.Stage
---@return stagehost.Reason
function LastEnds:next()
    if self.first > self.last then
        stagehost.await(function(callback)
            self.wake = callback
        end)
        self.wake = nil
    end
    local entry = self.ended[self.first]
    self.ended[self.first] = nil
    self.first = self.first + 1
    return entry.stage, entry.reason
end

function LastEnds:close()
    self.stage:kill()
end

return M
