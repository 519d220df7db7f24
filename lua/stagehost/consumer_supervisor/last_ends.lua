-- SPDX-License-Identifier: MIT

--- The ends of children while their supervisor gets no messages any more, because it runs its
--- terminate; in the order in which the children end.
local notes = require "stagehost.messages.note"
local stagehost = require "stagehost"
local tables = require "stagehost.options.tables"

local M = {}

---@class stagehost.ConsumerSupervisor.LastEnds
---@field ended { stage: stagehost.Stage, reason: stagehost.Reason }[] by number
---@field first integer
---@field last integer
---@field wake? fun() the supervisor waits for the next one
local LastEnds = {}
LastEnds.__index = LastEnds

local callbacks = {}

function callbacks.init(self)
    self.stage:send(notes.new "wait")
end

local takers = {}

function takers.wait(self)
    local ends, child = self.ends, self.child
    local reason = child:join()
    ends.last = ends.last + 1
    ends.ended[ends.last] = { stage = child, reason = reason }
    if ends.wake then
        ends.wake()
    end
    return stagehost.stop()
end

function callbacks.handle_info(self, message)
    return notes.take("consumer_supervisor.last_ends", takers, self, message)
end

function callbacks.handle_events() end

---@return stagehost.ConsumerSupervisor.LastEnds
function M.new()
    return setmetatable({ ended = {}, first = 1, last = 0 }, LastEnds)
end

--- Adds a child to wait for; it may have ended already. A stage on the supervisor's worker waits for
--- each child. It is no process, so a drain lets its callback finish.
---@param child stagehost.Stage
function LastEnds:add(child)
    assert(stagehost.start(stagehost.consumer(tables.copy(callbacks, {
        ends = self,
        child = child,
    })), { link = true }))
end

--- Returns the next child that has ended, and why. Waits.
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

return M
