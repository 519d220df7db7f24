-- SPDX-License-Identifier: MIT

--- The answers of a running supervisor to requests, as in OTP: M[request](children, request).
local child_specs = require "stagehost.supervisor.child"
local children = require "stagehost.supervisor.children"
local errors = require "stagehost.options.errors"
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"

local M = {}

local function failure(reason, format, ...)
    return requests.results(nil, format:format(...), reason)
end

local function not_found(id)
    return failure("not_found", "the supervisor has no child %q", tostring(id))
end

local states = {
    running = "it is running",
    restarting = "it is waiting for its restart",
}

local function kind(child)
    return child_specs.is_supervisor(child.spec.start) and "supervisor" or "worker"
end

function M.which_children(all)
    local list = {}
    for i, child in ipairs(all.list) do
        list[i] = {
            id = child.spec.id,
            stage = child.stage,
            state = child.state,
            type = kind(child),
            restart = child.spec.restart,
            restarts = child.restarts,
        }
    end
    return requests.results(list)
end

function M.count_children(all)
    local counts = { specs = #all.list, active = 0, workers = 0, supervisors = 0 }
    for _, child in ipairs(all.list) do
        counts.active = counts.active + (child.state == "running" and 1 or 0)
        local plural = kind(child) .. "s"
        counts[plural] = counts[plural] + 1
    end
    return requests.results(counts)
end

--- Starts a child that is in the list. A temporary one that fails is forgotten, as OTP does.
local function start(all, child)
    local ok, message, reason = children.start(all, child)
    if not ok then
        return failure(reason, "%s", message)
    elseif not child.stage then
        return failure("ignore", "the init of child %q returned stagehost.ignore", child.spec.id)
    end
    return requests.results(child.stage)
end

function M.start_child(all, request)
    local spec, problem = errors.try(child_specs.check, request.spec, stagehost.workers())
    if not spec then
        return failure("invalid_option", "%s", problem)
    end
    local present = children.find(all, spec.id)
    if present then
        return failure(present.stage and "already_started" or "already_present",
            "the supervisor has a child %q already", spec.id)
    end
    local child = children.child(spec)
    all.list[#all.list + 1] = child
    local answer = start(all, child)
    local is_kept = answer[1] or answer[3] == "ignore" and spec.restart ~= "temporary"
    if not is_kept then
        children.remove(all, child)
    end
    return answer
end

function M.terminate_child(all, request)
    local child = children.find(all, request.id)
    if not child then
        return not_found(request.id)
    end
    children.stop(all, child, "stopped")
    if child.spec.restart == "temporary" then
        children.remove(all, child)
    end
    return requests.results(true)
end

--- A child that is stopped; or nothing, and the answer that says why it can't be `done`.
local function find_stopped(all, id, done)
    local child = children.find(all, id)
    if not child then
        return nil, not_found(id)
    elseif child.state ~= "stopped" then
        return nil, failure(child.state, "the child %q can't be %s: %s", id, done, states[child.state])
    end
    return child
end

function M.restart_child(all, request)
    local child, problem = find_stopped(all, request.id, "restarted")
    return child and start(all, child) or problem
end

function M.delete_child(all, request)
    local child, problem = find_stopped(all, request.id, "deleted")
    if not child then
        return problem
    end
    children.remove(all, child)
    return requests.results(true)
end

return M
