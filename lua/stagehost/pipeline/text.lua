-- SPDX-License-Identifier: MIT

--- A plan as text: a tree from the sources to the ends. A stage with several producers is shown in
--- full below the first of them.
---
---     pipeline "words" (at most 3 restarts in 5 s)
---     lines  producer
---     └─ split x2  producer_consumer, partition 4, max_demand 100
---        └─ count x4  consumer, on_error stop
local intensity = require "stagehost.supervisor.intensity"

local M = {}

local function dispatcher_text(stage)
    local dispatcher = stage.options.dispatcher or stage.definition.dispatcher
    if stage.partitions then
        return ("partition %d"):format(#stage.partitions)
    elseif type(dispatcher) == "table" then
        return type(dispatcher[1]) == "string" and dispatcher[1] or "own dispatcher"
    end
    return dispatcher ~= "demand" and dispatcher or nil
end

local function title(stage)
    return stage.name .. (stage.instances and (" x%d"):format(stage.instances) or "")
end

local SHOWN = { "max_demand", "min_demand", "partition" }

local function describe(stage, link)
    local parts = { stage.kind }
    parts[#parts + 1] = link and link.is_by_part and "by part" or nil
    parts[#parts + 1] = dispatcher_text(stage)
    for _, key in ipairs(SHOWN) do
        local value = link and link.options[key]
        parts[#parts + 1] = value ~= nil and ("%s %s"):format(key, tostring(value)) or nil
    end
    if stage.options.worker ~= nil and not (stage.instances and stage.options.worker == "any") then
        parts[#parts + 1] = "worker " .. tostring(stage.options.worker)
    end
    if type(stage.options.dead_letter) == "string" then
        parts[#parts + 1] = "dead letters to " .. stage.options.dead_letter
    end
    if stage.on_error ~= "restart" then
        parts[#parts + 1] = "on_error " .. stage.on_error
    end
    return table.concat(parts, ", ")
end

--- name -> its consumers, { stage, link } each.
local function consumers_of(plan)
    local map = {}
    for _, stage in ipairs(plan.stages) do
        map[stage.name] = {}
    end
    for _, stage in ipairs(plan.stages) do
        for _, link in ipairs(stage.links) do
            table.insert(map[link.to], { stage = stage, link = link })
        end
    end
    return map
end

local function add(tree, node, first, rest)
    local stage, link, lines = node.stage, node.link, tree.lines
    if link and link.reason then
        lines[#lines + 1] = ("%sback to %s: %s"):format(first, stage.name, link.reason)
        return
    elseif tree.shown[stage] then
        lines[#lines + 1] = ("%s%s  (see above)"):format(first, title(stage))
        return
    end
    tree.shown[stage] = true
    lines[#lines + 1] = ("%s%s  %s"):format(first, title(stage), describe(stage, link))
    local below = tree.consumers[stage.name]
    for i, child in ipairs(below) do
        local is_last = i == #below
        add(tree, child, rest .. (is_last and "└─ " or "├─ "), rest .. (is_last and "   " or "│  "))
    end
end

local function is_root(stage)
    for _, link in ipairs(stage.links) do
        if not link.reason then
            return false
        end
    end
    return true
end

local function headline(plan)
    return ("pipeline%s (at most %d restarts in %d s%s)"):format(
        plan.name and (" %q"):format(plan.name) or "",
        plan.max_restarts or intensity.DEFAULT_MAX_RESTARTS,
        plan.max_seconds or intensity.DEFAULT_MAX_SECONDS,
        plan.backoff and (", the first after %d ms"):format(plan.backoff.delay) or "")
end

---@param plan stagehost.Plan
---@return string
function M.of(plan)
    local tree = { lines = { headline(plan) }, shown = {}, consumers = consumers_of(plan) }
    for _, stage in ipairs(plan.stages) do
        if is_root(stage) then
            add(tree, { stage = stage }, "", "")
        end
    end
    return table.concat(tree.lines, "\n")
end

return M
