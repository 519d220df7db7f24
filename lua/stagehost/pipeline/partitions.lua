-- SPDX-License-Identifier: MIT

--- Checks that every partition of every partition dispatcher in a pipeline has a consumer.
local links = require "stagehost.pipeline.links"

local M = {}

local function quote_all(list)
    local quoted = {}
    for i, name in ipairs(list) do
        quoted[i] = ('"%s"'):format(name)
    end
    return table.concat(quoted, ", ")
end

--- Counts the partitions that one subscription takes. Returns false if it has more instances than there are partitions.
local function take(taken, producer, stage, link)
    for i = 1, stage.instances or 1 do
        local partition = links.partition(producer, link, i)
        if partition == nil then
            return false
        end
        taken[tostring(partition)] = (taken[tostring(partition)] or 0) + 1
    end
    return true
end

local function take_all(problems, plan, producer)
    local taken = {}
    for _, stage in ipairs(plan.stages) do
        for _, link in ipairs(stage.links) do
            if link.to == producer.name and not take(taken, producer, stage, link) then
                problems:add('%s has %d instances, but "%s" only %d partitions', stage.where,
                    stage.instances or 1, producer.name, #producer.partitions)
            end
        end
    end
    return taken
end

local function check(problems, producer, taken)
    local missing, known = {}, {}
    for _, name in ipairs(producer.partitions) do
        known[name] = true
        if not taken[name] then
            missing[#missing + 1] = name
        end
    end
    if #missing > 0 then
        problems:add("%s: no consumer takes the partition%s %s of its dispatcher", producer.where,
            #missing == 1 and "" or "s", quote_all(missing))
    end
    for name, n in pairs(taken) do
        if not known[name] then
            problems:add('%s has no partition "%s" (it has %s)', producer.where, name,
                quote_all(producer.partitions))
        elseif n > 1 and not producer.has_groups then
            problems:add('%s: %d consumers take the partition "%s": its dispatcher needs groups = true for that',
                producer.where, n, name)
        end
    end
end

---@param problems stagehost.Problems
---@param plan stagehost.Plan
function M.check(problems, plan)
    for _, stage in ipairs(plan.stages) do
        if stage.partitions then
            check(problems, stage, take_all(problems, plan, stage))
        end
    end
end

return M
