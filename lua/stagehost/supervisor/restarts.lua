-- SPDX-License-Identifier: MIT

--- The restarts of one supervisor: their intensity and back-off, and the
--- groups of children that wait for their restart.
local backoff = require "stagehost.supervisor.backoff"
local children = require "stagehost.supervisor.children"
local intensity = require "stagehost.supervisor.intensity"
local notes = require "stagehost.messages.note"
local reasons = require "stagehost.messages.reason"
local stagehost = require "stagehost"

local M = {}

---@class stagehost.Restarts
---@field window stagehost.Intensity
---@field backoff? stagehost.Backoff
---@field groups table<integer, stagehost.RestartGroup> the waiting groups
---@field last_group integer

--- Children that are started together: one, or several as the strategy says.
---@class stagehost.RestartGroup
---@field cause stagehost.Child the child that ended, or whose start failed
---@field list stagehost.Child[] in the order of their start

---@param spec { max_restarts: integer, max_seconds: integer, backoff?: stagehost.Backoff }
---@return stagehost.Restarts
function M.new(spec)
    return {
        window = intensity.new(spec.max_restarts, spec.max_seconds),
        backoff = spec.backoff,
        groups = {},
        last_group = 0,
    }
end

-- A generator with a seed of its own: the numbers of math.random are the same in every process.
local function chance()
    return stagehost.uv.hrtime() % 1000003 / 1000003
end

local function next_delay(restarts, child)
    local options = restarts.backoff
    if not options then
        return 0
    end
    if child.started_at and backoff.is_over(options, children.now() - child.started_at) then
        child.attempt = 0
    end
    child.started_at = nil
    child.attempt = child.attempt + 1
    return backoff.delay(options, child.attempt, chance)
end

--- Moves the children of waiting groups that are also in `list` to the new group.
local function forget_groups_of(restarts, list)
    local is_in = {}
    for _, child in ipairs(list) do
        is_in[child] = true
    end
    for number, group in pairs(restarts.groups) do
        if is_in[group.cause] then
            restarts.groups[number] = nil
        end
    end
end

local function schedule(restarts, group, delay)
    forget_groups_of(restarts, group.list)
    local number = restarts.last_group + 1
    restarts.last_group = number
    restarts.groups[number] = group
    local note = notes.new("restart", { group = number })
    if delay > 0 then
        stagehost.send_after(delay, note)
    else
        stagehost.self():send(note)
    end
end

-- From this restart on, the text has no numbers that change: the log collapses repeated texts.
local MOST_NUMBERED = 10

local function log_restart(cause, window, count, delay)
    local number = count <= MOST_NUMBERED and tostring(count) or ("beyond %d"):format(MOST_NUMBERED)
    local pause = delay > 0 and (count <= MOST_NUMBERED and (", in %d ms"):format(delay) or ", after a pause") or ""
    stagehost.log("info", "child %q: restart %s of at most %d in %d s%s", cause.spec.id, number, window.max_restarts,
        window.max_seconds, pause)
end

--- Plans a restart of `list` after a child has crashed or could not be started. Returns false if that is
--- one restart too many.
---@param restarts stagehost.Restarts
---@param cause stagehost.Child
---@param list stagehost.Child[]
---@param reason stagehost.Reason
---@return boolean
function M.plan(restarts, cause, list, reason)
    local window = restarts.window
    local allowed, count = window:add(children.now() / 1000, reason)
    if not allowed then
        stagehost.log("error", "child %q: %s. Restart %d within %d s exceeds max_restarts = %d: giving up",
            cause.spec.id, reasons.text(reason), count, window.max_seconds, window.max_restarts)
        return false
    end
    local delay = next_delay(restarts, cause)
    log_restart(cause, window, count, delay)
    cause.restarts = cause.restarts + 1
    schedule(restarts, { cause = cause, list = list }, delay)
    return true
end

--- Returns the group that a note "restart" declares due, with the children that still wait. Nil: it is gone.
---@param restarts stagehost.Restarts
---@param number integer the field `group` of the note
---@return stagehost.RestartGroup?
function M.take_due(restarts, number)
    local group = restarts.groups[number]
    restarts.groups[number] = nil
    if not group then
        return nil
    end
    local waiting = {}
    for _, child in ipairs(group.list) do
        if child.state == "restarting" then
            waiting[#waiting + 1] = child
        end
    end
    group.list = waiting
    return group
end

--- Returns the reason of the oldest restart that still counts.
---@param restarts stagehost.Restarts
---@return stagehost.Reason
function M.first_reason(restarts)
    return restarts.window:oldest()
end

return M
