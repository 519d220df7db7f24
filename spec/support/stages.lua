-- SPDX-License-Identifier: MIT

--- Stages that are ended after each `it`, passed or failed: a spec file starts them with
--- `start` and calls `after_each(stages.stop_all)`.
local stagehost = require "stagehost"

require("spec.support.packed").install()

local M = {}
local started = {}

---@param def stagehost.Definition
---@param opts? table
---@return stagehost.Stage
function M.start(def, opts)
    local stage = assert(stagehost.start(def, opts))
    started[#started + 1] = stage
    return stage
end

--- Ends stages at once, and waits until they have ended.
---@param ... stagehost.Stage
function M.stop(...)
    for _, stage in ipairs { ... } do
        stage:kill()
        stage:join()
    end
end

function M.stop_all()
    local all = started
    started = {}
    M.stop(unpack(all))
end

--- Keeps what it gets; asks for as many events as it is cast.
M.Sink = stagehost.consumer {
    init = function(self) self.events = {} end,
    handle_subscribe = function(self, _, _, from)
        self.from = from
        return "manual"
    end,
    handle_cast = function(self, n) stagehost.ask(self.from, n) end,
    handle_events = function(self, events)
        for _, event in ipairs(events) do
            table.insert(self.events, event)
        end
    end,
    handle_notification = function(self, message) table.insert(self.events, message) end,
    handle_call = function(self) return self.events end,
}

---@return integer[] from `from` to `to`
function M.numbers(from, to)
    local list = {}
    for i = from, to do
        list[#list + 1] = i
    end
    return list
end

return M
