--- Turns options of a scenario into those of stagehost.
local functions = require "functions"
local names = require "stagehost.options.names"

local M = {}

-- "demand" | "broadcast" | {demand = {...}} | {partition = {...}}
local function dispatcher(spec)
    if type(spec) ~= "table" then
        return spec
    end
    local kind, opts = next(spec)
    if kind == "demand" then
        return {
            "demand",
            max_demand = opts.max_demand,
            shuffle_demands_on_first_dispatch = opts.shuffle,
        }
    elseif kind == "partition" then
        local hash = opts.hash and functions.hash[opts.hash.fn](opts.hash)
        return { "partition", partitions = opts.partitions, hash = hash }
    end
    return { kind }
end

--- Options of a subscription; those that stagehost does not know travel along, in `opts`.
---@param opts table? as in the scenario
---@param to any the producer: a handle or a name
---@return table
function M.subscription(opts, to)
    local out = { to = to, opts = {} }
    for key, value in pairs(opts or {}) do
        local part = names.subscription[key] and out or out.opts
        part[key] = value
    end
    if out.selector then
        out.selector = functions.selector[out.selector.fn](out.selector)
    end
    return out
end

--- Options of stagehost.start for a stage of the scenario.
---@param world table
---@param desc table
---@return table
function M.start(world, desc)
    local out = { name = desc.name }
    for key, value in pairs(desc.opts or {}) do
        out[key] = key == "dispatcher" and dispatcher(value) or value
    end
    if desc.subscribe_to then
        out.subscribe_to = {}
        for i, entry in ipairs(desc.subscribe_to) do
            out.subscribe_to[i] = M.subscription(entry.opts, world:producer(entry.to))
        end
    end
    return out
end

return M
