-- SPDX-License-Identifier: MIT

--- Chooses the workers of instances of stages. Instances exist to run in parallel, so those of one stage go to
--- different workers first; among workers with equally many of them, to the one with the fewest
--- units of the pipeline; among those, to the next one after the pipeline's own. Pure.
local M = {}

---@class stagehost.Placement
---@field private n_workers integer
---@field private own integer the pipeline's worker
---@field private units table<integer, integer> how many units a worker has
---@field private instances table<any, table<integer, integer>> how many instances of a stage a worker has
local Placement = {}
Placement.__index = Placement

---@param n_workers integer
---@param own integer the worker of the pipeline: 0 to n_workers - 1
---@return stagehost.Placement
function M.new(n_workers, own)
    return setmetatable({ n_workers = n_workers, own = own, units = {}, instances = {} }, Placement)
end

--- Counts a unit that has a worker already.
---@param worker integer
function Placement:add(worker)
    self.units[worker] = (self.units[worker] or 0) + 1
end

--- Returns a worker for the next instance of a stage.
---@param stage any a key that all instances of the stage share
---@return integer worker
function Placement:take(stage)
    local mine = self.instances[stage] or {}
    self.instances[stage] = mine
    local best
    for i = 0, self.n_workers - 1 do
        local worker = (self.own + i) % self.n_workers
        local fewer = best and (mine[worker] or 0) - (mine[best] or 0)
        if not best or fewer < 0 or fewer == 0 and (self.units[worker] or 0) < (self.units[best] or 0) then
            best = worker
        end
    end
    mine[best] = (mine[best] or 0) + 1
    self:add(best)
    return best
end

return M
