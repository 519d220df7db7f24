-- SPDX-License-Identifier: MIT

--- Checks of child specifications:
---
---     { id = "x", start = Definition, options = { ... }, restart = "permanent", shutdown = 5000 }
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local options = require "stagehost.options"
local shutdown = require "stagehost.supervisor.shutdown"

local M = {}

---@class stagehost.ChildSpec
---@field id? string default: the name in its options
---@field start stagehost.Definition
---@field options? stagehost.StartOptions
---@field restart? "permanent" | "transient" | "temporary" default "permanent"
---@field shutdown? integer | "infinity" | "brutal_kill" ms; default 5000, "infinity" for a supervisor

local function id(value)
    if type(value) ~= "string" or value == "" then
        return nil, "must be a non-empty string"
    end
    return value
end

local schema = {
    id = id,
    start = checks.anything,
    options = checks.typed "table",
    restart = checks.one_of("permanent", "transient", "temporary"),
    shutdown = shutdown.check,
}

--- Whether a definition defines a supervisor (or a pipeline).
---@param def stagehost.Definition
---@return boolean
function M.is_supervisor(def)
    return def.is_supervisor == true
end

--- Returns one specification with its defaults filled in. Raises an error if it is wrong.
---@param given any
---@param n_workers integer
---@return stagehost.ChildSpec
function M.check(given, n_workers)
    if type(given) ~= "table" then
        errors.raise("invalid_option",
            'a child is described by a table such as { id = "x", start = Definition }, got %s',
            checks.show(given))
    end
    local spec = checks.apply(schema, given, "a child")
    spec.id = spec.id or type(spec.options) == "table" and spec.options.name or nil
    if spec.id == nil then
        checks.fail("id", "must be a non-empty string (or the child's options have a name)", nil)
    end
    local _, problem = errors.try(options.start, spec.start, spec.options, n_workers)
    if problem then
        errors.raise("invalid_option", "child %s: %s", checks.show(spec.id), problem)
    end
    spec.restart = spec.restart or "permanent"
    spec.shutdown = spec.shutdown or M.is_supervisor(spec.start) and "infinity" or shutdown.DEFAULT_MS
    return spec
end

--- Checks a list of specifications. Raises an error for the first wrong one.
---@param given any
---@param n_workers integer
---@return stagehost.ChildSpec[]
function M.check_all(given, n_workers)
    local list, problem = checks.list(given)
    if problem then
        checks.fail("children", problem, given)
    end
    local specs, seen = {}, {}
    for i, entry in ipairs(list) do
        local spec = M.check(entry, n_workers)
        if seen[spec.id] then
            errors.raise("invalid_option", 'option "children": the id %s appears twice',
                checks.show(spec.id))
        end
        seen[spec.id], specs[i] = true, spec
    end
    return specs
end

return M
