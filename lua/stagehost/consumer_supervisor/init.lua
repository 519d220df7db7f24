-- SPDX-License-Identifier: MIT

--- A consumer that starts a child for every event:
---
---     local Fetch = stagehost.consumer_supervisor {
---         child = function(url) ... end,          -- or a definition, whose init gets the event
---         max_children = 50,
---         subscribe_to = { { to = "urls", max_demand = 20 } },
---     }
---     local fetch = stagehost.start(Fetch)
---     stagehost.consumer_supervisor.count_children(fetch).active
---
--- Demand follows the ends of children: max_demand events are asked for at first; when min_demand
--- children have ended, as many again (refill = "low_water": when no more than min_demand are left).
--- With max_children, no more events are asked for than there are free slots.
local callbacks = require "stagehost.consumer_supervisor.callbacks"
local checks = require "stagehost.options.checks"
local errors = require "stagehost.options.errors"
local requests = require "stagehost.messages.request"
local shards = require "stagehost.consumer_supervisor.shards"
local template = require "stagehost.consumer_supervisor.template"

---@class stagehost.ConsumerSupervisor
local M = {}

---@class stagehost.ConsumerSupervisorOptions
---@field child stagehost.Definition | fun(event: any) started for each event
---@field options? stagehost.StartOptions of each child; `args`, a list, comes before the event
---@field restart? "temporary" | "transient" "temporary" (default): never; "transient": after a crash
---@field shutdown? integer | "infinity" | "brutal_kill" ms that a child has to end; default 5000
---@field max_restarts? integer default 3; one more within max_seconds ends the supervisor
---@field max_seconds? integer default 5
---@field max_children? integer for all producers and start_child together; default: no limit
---@field refill? "finished" | "low_water" when to ask again; default "finished"
---@field at_end? "finish" | "shutdown" what children do that still run when the source has ended, or the host
--- is drained; by default functions finish; others are shut down, and their events count as unfinished
---@field name? fun(event: any): string? of a child, unique in the host (a string: the supervisor's own)
---@field shards? integer | "workers" number of supervisors, spread over the workers, behind one handle
---@field partitions? true | (string | integer)[] shard n takes the partition n - 1, or the n-th of the list, of
--- every producer that the handle subscribes to
---@field subscribe_to? stagehost.SubscribeTo
---@field end_with_last? boolean
---@field worker? integer | "any"

--- Defines a consumer_supervisor, for stagehost.start.
---@param given stagehost.ConsumerSupervisorOptions
---@return stagehost.Definition
function M.new(given)
    local settings = template.settings(given)
    local stage_options = {
        name = type(given.name) == "string" and given.name or nil,
        subscribe_to = not settings.partitions and given.subscribe_to or nil,
        end_with_last = given.end_with_last,
        worker = given.worker,
    }
    if settings.shards then
        return shards.definition(settings, stage_options)
    end
    return callbacks.definition(settings, stage_options)
end

local function ask(supervisor, what, fields)
    return requests.ask(supervisor, "consumer_supervisor", what, fields)
end

--- Starts a child without a producer. Waits until its init has returned.
---@param supervisor stagehost.Stage | string
---@param event any
---@return stagehost.Stage? child
---@return string? message "overloaded" when max_children are running or promised to producers
---@return any reason "overloaded", "ignore", or why its init failed
function M.start_child(supervisor, event)
    return ask(supervisor, "start_child", { event = event })
end

--- Ends a child as `shutdown` says, and waits for its end. It is not started again. A child that is just
--- being restarted is known by its last handle.
---@param supervisor stagehost.Stage | string
---@param child stagehost.Stage | string its handle or its name
---@return boolean? done
---@return string? message "not_found"
---@return any reason "not_found"
function M.terminate_child(supervisor, child)
    local _, problem = checks.stage_or_name(child)
    if problem then
        errors.raise("invalid_option", "terminate_child: expected the handle or the name of a child, got %s",
            checks.show(child))
    end
    return ask(supervisor, "terminate_child", { child = child })
end

---@class stagehost.ConsumerSupervisor.Entry
---@field stage stagehost.Stage the last stage, if the child is being restarted
---@field name? string
---@field state "running" | "restarting"
---@field type "worker" | "supervisor"
---@field restarts integer how often it was restarted

--- Returns all children, in the order of their starts.
---@param supervisor stagehost.Stage | string
---@return stagehost.ConsumerSupervisor.Entry[]?
---@return string? message
---@return any reason
function M.which_children(supervisor)
    return ask(supervisor, "which_children")
end

---@class stagehost.ConsumerSupervisor.Count
---@field specs integer 1: the template
---@field active integer running children
---@field workers integer running children and those that are being restarted
---@field supervisors integer equal to `workers` if the template is a supervisor, else 0

---@param supervisor stagehost.Stage | string
---@return stagehost.ConsumerSupervisor.Count?
---@return string? message
---@return any reason
function M.count_children(supervisor)
    return ask(supervisor, "count_children")
end

--- Returns the child with this name (see the option `name`).
---@param supervisor stagehost.Stage | string
---@param name string
---@return stagehost.Stage? child nil if there is none now
---@return string? message
---@return any reason
function M.lookup(supervisor, name)
    if type(name) ~= "string" then
        errors.raise("invalid_option", "lookup: expected the name of a child, got %s", checks.show(name))
    end
    return ask(supervisor, "lookup", { name = name })
end

---@class stagehost.ConsumerSupervisor.Shard
---@field stage stagehost.Stage a consumer_supervisor: the functions here take it
---@field worker integer
---@field state "running" | "restarting"
---@field active? integer running children
---@field restarts integer how often it was restarted

--- Returns the shards of a consumer_supervisor that has some, in order.
---@param supervisor stagehost.Stage | string
---@return stagehost.ConsumerSupervisor.Shard[]?
---@return string? message
---@return any reason "no_shards"
function M.which_shards(supervisor)
    return ask(supervisor, "which_shards")
end

--- Ends one shard and starts it again on its worker, with its subscriptions. Events that its producers had sent
--- still become children; these end as they would at the supervisor's end, functions when they have returned.
--- The other shards go on. Waits until the new shard is subscribed.
---@param supervisor stagehost.Stage | string
---@param shard integer its place in which_shards
---@return stagehost.Stage? shard the new one
---@return string? message
---@return any reason "not_found", "no_shards", "ended": its producers have ended
function M.restart_shard(supervisor, shard)
    local _, problem = checks.integer(1)(shard)
    if problem then
        errors.raise("invalid_option", "restart_shard: the number of a shard %s, got %s", problem,
            checks.show(shard))
    end
    return ask(supervisor, "restart_shard", { shard = shard })
end

return setmetatable(M, {
    __call = function(_, given)
        return M.new(given)
    end,
})
