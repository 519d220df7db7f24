-- SPDX-License-Identifier: MIT

--- Supervisors: processes that start stages, link to them, and restart those that crash.
---
---     local sup = assert(stagehost.start(stagehost.supervisor {
---         strategy = "one_for_one",
---         max_restarts = 3, max_seconds = 5,
---         backoff = { delay = 100, factor = 2, cap = 5000, jitter = 0.2 },
---         children = {
---             { id = "source", start = Source, options = { name = "source" } },
---             { id = "printer", start = Printer, restart = "transient", shutdown = 1000 },
---         },
---     }, { name = "sup" }))
---     stagehost.supervisor.which_children(sup)
---
--- Call the module to define a supervisor. Its functions take the handle or the name of a running one, and wait.
local backoff = require "stagehost.supervisor.backoff"
local checks = require "stagehost.options.checks"
local child_specs = require "stagehost.supervisor.child"
local courier = require "stagehost.supervisor.courier"
local errors = require "stagehost.options.errors"
local intensity = require "stagehost.supervisor.intensity"
local process = require "stagehost.supervisor.process"
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"
local strategy = require "stagehost.supervisor.strategy"
local tables = require "stagehost.options.tables"

local M = {}

---@class stagehost.SupervisorOptions
---@field strategy? "one_for_one" | "one_for_all" | "rest_for_one" default "one_for_one"
---@field max_restarts? integer default 3: one more within max_seconds ends the supervisor
---@field max_seconds? integer default 5
---@field backoff? stagehost.Backoff waits between restarts; default: none
---@field children? stagehost.ChildSpec[] started in this order, ended in the reverse order

local schema = {
    strategy = checks.one_of(unpack(strategy.names)),
    children = checks.anything,
    max_restarts = intensity.schema.max_restarts,
    max_seconds = intensity.schema.max_seconds,
    backoff = backoff.check,
}

--- Defines a supervisor, for stagehost.start or as the child of another one. Starting it waits until
--- all children have started; if one fails, those before it are ended again and the supervisor's
--- start fails with the reason of that child.
---@param options stagehost.SupervisorOptions
---@return stagehost.Definition
function M.new(options)
    if type(options) ~= "table" then
        errors.raise("invalid_option", "supervisor: expected a table of options, got %s", type(options))
    end
    local spec = checks.apply(schema, options, "a supervisor")
    spec.strategy = spec.strategy or "one_for_one"
    spec.children = child_specs.check_all(spec.children or {}, stagehost.workers())
    return stagehost.process(tables.copy(process.callbacks, {
        is_supervisor = true,
        spec = spec,
    }))
end

-- Functions for a running supervisor --------------------------------------------------------------

local function ask(supervisor, what, fields)
    return requests.ask(supervisor, "supervisor", what, fields)
end

---@class stagehost.ChildInfo
---@field id string
---@field stage? stagehost.Stage while it is running
---@field state "running" | "restarting" | "stopped" "restarting": it waits for its restart
---@field type "worker" | "supervisor"
---@field restart string
---@field restarts integer how often it was restarted

--- Returns the children in the order of their start.
---@param supervisor stagehost.Stage | string
---@return stagehost.ChildInfo[]?
---@return string? message
---@return any reason
function M.which_children(supervisor)
    return ask(supervisor, "which_children")
end

---@param supervisor stagehost.Stage | string
---@return { specs: integer, active: integer, workers: integer, supervisors: integer }?
---@return string? message
---@return any reason
function M.count_children(supervisor)
    return ask(supervisor, "count_children")
end

--- Adds a child at the end, and starts it.
---@param supervisor stagehost.Stage | string
---@param spec stagehost.ChildSpec
---@return stagehost.Stage?
---@return string? message
---@return any reason "already_started", "already_present", "ignore", or why its start failed
function M.start_child(supervisor, spec)
    local stage, message, reason = requests.find(supervisor, "supervisor", "start_child")
    if not stage then
        return nil, message, reason
    end
    child_specs.check(spec, stagehost.workers()) -- raises errors here, where the mistake is
    if stage.worker ~= stagehost.worker() then
        return courier.start_child(stage, spec)
    end
    return ask(stage, "start_child", { spec = spec })
end

--- Ends a child as its `shutdown` says; the child stays in the list unless it is temporary.
---@param supervisor stagehost.Stage | string
---@param id string
---@return true?
---@return string? message
---@return any reason "not_found"
function M.terminate_child(supervisor, id)
    return ask(supervisor, "terminate_child", { id = id })
end

--- Starts a child that has ended.
---@param supervisor stagehost.Stage | string
---@param id string
---@return stagehost.Stage?
---@return string? message
---@return any reason "not_found", "running", "restarting", or why its start failed
function M.restart_child(supervisor, id)
    return ask(supervisor, "restart_child", { id = id })
end

--- Removes a child that has ended from the list.
---@param supervisor stagehost.Stage | string
---@param id string
---@return true?
---@return string? message
---@return any reason "not_found", "running", "restarting"
function M.delete_child(supervisor, id)
    return ask(supervisor, "delete_child", { id = id })
end

return setmetatable(M, {
    __call = function(_, options)
        return M.new(options)
    end,
})
