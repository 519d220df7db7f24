-- SPDX-License-Identifier: MIT

--- The order of a pipeline's stages, producers before their consumers; and its cycles. Pure.
local M = {}

-- walk.path leads from a consumer to its producers.
local function add_cycle(walk, stage)
    local names = { stage.name }
    for i = #walk.path, 1, -1 do
        names[#names + 1] = walk.path[i].name
        if walk.path[i] == stage then
            break
        end
    end
    table.insert(walk.cycles, names)
end

local function visit(walk, stage)
    local mark = walk.marks[stage]
    if mark == "open" then
        add_cycle(walk, stage)
    end
    if mark then
        return
    end
    walk.marks[stage] = "open"
    table.insert(walk.path, stage)
    for _, link in ipairs(stage.links) do
        if not link.reason then
            visit(walk, walk.by_name[link.to])
        end
    end
    table.remove(walk.path)
    walk.marks[stage] = "done"
    table.insert(walk.order, stage)
end

--- Sorts stages: producers first, otherwise as given. A link with a reason closes a cycle on purpose and does not
--- count here.
---@param stages stagehost.PlannedStage[]
---@param by_name table<string, stagehost.PlannedStage>
---@return stagehost.PlannedStage[] order
---@return string[][] cycles the names on each, from producer to consumer, the first again at the end
function M.sort(stages, by_name)
    local walk = { marks = {}, path = {}, order = {}, cycles = {}, by_name = by_name }
    for _, stage in ipairs(stages) do
        visit(walk, stage)
    end
    return walk.order, walk.cycles
end

return M
