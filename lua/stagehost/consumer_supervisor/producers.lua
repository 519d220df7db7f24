-- SPDX-License-Identifier: MIT

--- The producers of a consumer_supervisor: its subscriptions and their demand.
local stagehost = require "stagehost"

local M = {}

--- Asks for as many events as may be asked for now.
---@param self table
function M.ask(self)
    for _, wanted in ipairs(self.demand:asks()) do
        stagehost.ask(self.subscriptions[wanted.id], wanted.n)
    end
end

---@param self table
---@param opts table of the subscription
---@param from stagehost.Subscription
---@param is_held boolean asks for nothing yet
function M.open(self, opts, from, is_held)
    self.subscriptions[from.id] = from
    self.demand:open(from.id, opts.max_demand, opts.min_demand, is_held)
end

---@param self table
---@param from stagehost.Subscription
function M.close(self, from)
    self.subscriptions[from.id] = nil
    self.demand:close(from.id)
end

return M
