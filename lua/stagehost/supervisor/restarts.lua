-- SPDX-License-Identifier: MIT

--- What is to be started again, and when: the intensity and the back-off of one supervisor, and the
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
---@field groups table<integer, stagehost.RestartGroup> those that wait
---@field last_group integer

--- Children that come up together: one, or as the strategy says.
---@class stagehost.RestartGroup
---@field cause stagehost.Child the one that ended, or whose start failed
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

-- Not math.random: its numbers are the same in every process.
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

--- The children of waiting groups that are also in `list` wait in the new one instead.
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

--- A child has crashed or could not be started, and `list` has to be started (again). False: that was
--- once too often.
---@param restarts stagehost.Restarts
---@param cause stagehost.Child
---@param list stagehost.Child[]
---@param reason stagehost.Reason
---@return boolean
function M.plan(restarts, cause, list, reason)
    local window = restarts.window
    local allowed, count = window:add(children.now() / 1000, reason)
    if not allowed then
        stagehost.log("error", "child %q: %s. That is end number %d within %d s, and max_restarts is %d: giving up",
            cause.spec.id, reasons.text(reason), count, window.max_seconds, window.max_restarts)
        return false
    end
    local delay = next_delay(restarts, cause)
    -- Without numbers that change: the log collapses what it is told again and again.
    stagehost.log("info", "child %q is restarted%s (at most %d times in %d s)", cause.spec.id,
        delay > 0 and " after a pause" or "", window.max_restarts, window.max_seconds)
    cause.restarts = cause.restarts + 1
    schedule(restarts, { cause = cause, list = list }, delay)
    return true
end

--- The group that a note "restart" says is due: its children that still wait. Nil: it is no more.
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

--- Why the first of the ends that are in the window now came about.
---@param restarts stagehost.Restarts
---@return stagehost.Reason
function M.first_reason(restarts)
    return restarts.window:oldest()
end

return M
