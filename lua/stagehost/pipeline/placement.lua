-- SPDX-License-Identifier: MIT

--- Chooses the workers of the units of a pipeline. An event that stays on its worker costs almost nothing, one that
--- goes to another worker is encoded and decoded; so neighbours stay together unless they say otherwise: a stage
--- goes where its producers are, and a source to the pipeline's own worker. Instances exist to run in parallel, so
--- those of one stage go to different workers first; among workers with equally many of them, to the one with the
--- fewest units of the pipeline; among those, to the next one after the pipeline's own. An instance that handles
--- one part of an input goes where that part is read. Pure.
local M = {}

---@class stagehost.Placement
---@field private n_workers integer
---@field private own integer the pipeline's worker
---@field private units table<integer, integer> how many units a worker has
---@field private places table<string, integer[]> the workers of the units of a stage
local Placement = {}
Placement.__index = Placement

function Placement:put(stage, worker)
    local places = self.places[stage.name] or {}
    self.places[stage.name] = places
    places[#places + 1] = worker
    self.units[worker] = (self.units[worker] or 0) + 1
end

--- Puts the instances of a stage on different workers, as far as there are enough of them.
function Placement:spread(stage)
    local mine = {}
    for _ = 1, stage.instances do
        local best
        for i = 0, self.n_workers - 1 do
            local worker = (self.own + i) % self.n_workers
            local fewer = best and (mine[worker] or 0) - (mine[best] or 0)
            if not best or fewer < 0 or fewer == 0 and (self.units[worker] or 0) < (self.units[best] or 0) then
                best = worker
            end
        end
        mine[best] = (mine[best] or 0) + 1
        self:put(stage, best)
    end
end

--- Puts a stage where most units of its producers are; if several workers have equally many, to the pipeline's own
--- worker if it is one of them, else to the first.
function Placement:follow(stage)
    local near, best = {}, self.own
    for _, link in ipairs(stage.links) do
        for _, worker in ipairs(not link.reason and self.places[link.to] or {}) do
            near[worker] = (near[worker] or 0) + 1
        end
    end
    for worker = 0, self.n_workers - 1 do
        if (near[worker] or 0) > (near[best] or 0) then
            best = worker
        end
    end
    self:put(stage, best)
end

--- Returns the workers of the units of each stage, by its name and in order of instances; none for a single stage
--- with worker = "any", which the engine places when it starts.
---@param stages stagehost.PlannedStage[] producers first
---@param n_workers integer
---@param own integer the worker of the pipeline: 0 to n_workers - 1
---@return table<string, integer[]>
function M.choose(stages, n_workers, own)
    local placement = setmetatable({ n_workers = n_workers, own = own, units = {}, places = {} }, Placement)
    for _, stage in ipairs(stages) do
        if type(stage.options.worker) == "number" then
            for _ = 1, stage.instances or 1 do
                placement:put(stage, stage.options.worker)
            end
        end
    end
    for _, stage in ipairs(stages) do
        local beside = stage.beside and placement.places[stage.beside]
        if beside then
            for i = 1, stage.instances do
                placement:put(stage, beside[i])
            end
        elseif stage.options.worker == nil then
            placement:follow(stage)
        elseif stage.options.worker == "any" and stage.instances then
            placement:spread(stage)
        end
    end
    return placement.places
end

return M
