-- SPDX-License-Identifier: MIT

--- The callbacks of the process that runs a pipeline: a supervisor of its units (one_for_one; a unit is restarted
--- after a crash, not after a normal end) that also keeps them subscribed to one another.
local children = require "stagehost.supervisor.children"
local core = require "stagehost.core"
local counts = require "stagehost.pipeline.counts"
local ends = require "stagehost.pipeline.ends"
local nets = require "stagehost.pipeline.net"
local notes = require "stagehost.messages.note"
local notices = require "stagehost.pipeline.notices"
local reasons = require "stagehost.messages.reason"
local requests = require "stagehost.messages.request"
local restarts = require "stagehost.supervisor.restarts"
local stagehost = require "stagehost"

local M = {}

local callbacks = {}

--- Starts a unit, and asks for its result at once: the answer comes when it ends.
local function start(self, unit)
    local ok, message, reason = nets.start(self.net, self.children, unit)
    if unit.stage and unit.plan.definition.pipeline_result then
        unit.asked, unit.request = core.request(unit.stage, notices.RESULT)
    end
    return ok, message, reason
end

--- Keeps the result of a unit that has ended, if it has one.
local function keep_result(self, unit)
    if not unit.asked then
        return
    end
    local answer = unit.request.answer or { core.take(unit.asked) }
    unit.asked, unit.request = nil, nil
    if answer[1] then
        self.results[unit.spec.id] = answer[1][1]
    end
end

function callbacks.init(self)
    self.children = children.new()
    self.restarts = restarts.new(self.plan)
    self.net = nets.new(self.plan, self.stage)
    self.children.list = self.net.units
    self.waiting = {} -- calls that wait for the drain
    self.joining = {} -- calls that wait for the end
    self.results = {} -- by the name of the stage
    for _, unit in ipairs(self.net.units) do
        local ok, message, reason = start(self, unit)
        if not ok then
            stagehost.log("warn", "stage %q of the pipeline did not start: %s", unit.spec.id, message)
            children.stop_all(self.children)
            return stagehost.stop(reason)
        end
    end
    nets.close_cycles(self.net.feedback)
end

--- Ends the process when no unit is left to run, with the first crash that could not be recovered.
local function check_end(self)
    if ends.all_finished(self.net.units) then
        return stagehost.stop(self.failure or "normal")
    end
end

local function finish(self, unit)
    keep_result(self, unit)
    ends.finish(self, unit)
    return check_end(self)
end

--- Handles a unit that has crashed, or could not be started again.
local function recover(self, unit, reason)
    children.lose(self.children, unit, "restarting")
    nets.disconnect(unit)
    local is_draining_source = self.is_draining and ends.is_source(unit)
    if unit.plan.on_error == "stop" then
        return stagehost.stop(reason)
    elseif is_draining_source or stagehost.is_draining() then
        self.failure = self.failure or reason
        unit.has_failed = true
        return finish(self, unit)
    elseif not restarts.plan(self.restarts, unit, { unit }, reason) then
        return stagehost.stop(restarts.first_reason(self.restarts))
    end
end

function callbacks.handle_exit(self, stage, reason)
    local unit, is_former = children.take_exit(self.children, stage)
    if is_former then
        return
    elseif not unit then -- the signal is of the stage that started the pipeline
        return not reasons.is_clean(reason) and stagehost.stop(reason)
            or not reasons.is_normal(reason) and stagehost.stop("shutdown") or nil
    elseif reasons.is_clean(reason) then
        return finish(self, unit)
    end
    return recover(self, unit, reason)
end

local function restart(self, unit)
    local ok, message, reason = start(self, unit)
    if not ok then
        stagehost.log("warn", "stage %q of the pipeline did not start: %s", unit.spec.id, message)
        return recover(self, unit, reason)
    elseif unit.is_finished then
        return finish(self, unit)
    end
    nets.resubscribe(unit)
    nets.open_gate(unit)
    ends.check_over(unit)
end

local function reply_all(self, answer)
    for _, from in ipairs(self.waiting) do
        from:reply(answer)
    end
    self.waiting = {}
end

local takers = {}

--- Ends a drain whose time is up.
function takers.cut_drain_short(self)
    local by_name = {}
    for _, unit in ipairs(self.net.units) do
        if unit.stage and unit.plan.kind ~= "process" then
            by_name[unit.spec.id] = unit.stage
            self.children.former[unit.stage] = true
            children.lose(self.children, unit, "stopped")
        end
    end
    local left = counts.kill_and_count(by_name)
    reply_all(self, requests.results(nil, ("drain timed out with %d events unfinished"):format(left.total), left))
    return stagehost.stop(self.failure or { "shutdown", "drain_timeout" })
end

--- Restarts a unit whose restart is due.
function takers.restart(self, note)
    local group = restarts.take_due(self.restarts, note.group)
    local unit = group and group.list[1]
    if not unit or unit.is_finished then
        return
    elseif self.is_draining and ends.is_source(unit) or stagehost.is_draining() then
        return finish(self, unit)
    end
    return restart(self, unit)
end

function callbacks.handle_info(self, message)
    return notes.take("pipeline", takers, self, message)
end

--- The reasons with which the core refuses subscriptions.
local REFUSALS = {
    already_subscribed = true,
    ack_impossible = true,
    option_ignored = true,
    partition_required = true,
    partition_unknown = true,
    partition_taken = true,
}

--- Whether a producer refused a subscription. Trying again would not help.
local function is_refusal(reason)
    return stagehost.is_error(reason) or REFUSALS[reason] ~= nil
end

local notice_takers = {}

function notice_takers.joined(self, notice)
    nets.joined(self.children, notice.producer, notice.consumer)
end

function notice_takers.left(self, notice)
    local unit = nets.left(self.children, notice.producer, notice.consumer)
    if unit and is_refusal(notice.reason) then
        stagehost.log("error", "stage %q of the pipeline was refused by its producer: %s", unit.spec.id,
            reasons.text(notice.reason))
        return stagehost.stop(notice.reason)
    elseif unit then
        ends.check_over(unit)
    end
end

function callbacks.handle_cast(self, notice)
    return notes.take("pipeline", notice_takers, self, notice)
end

-- Requests ----------------------------------------------------------------------------------------

local answers = {}

function answers.stage(self, request)
    local unit = self.net.by_name[request.name]
    if not unit then
        return requests.results(nil, ("the pipeline has no stage %q"):format(tostring(request.name)), "not_found")
    elseif not unit.stage then
        return requests.results(nil, ("the stage %q is %s now"):format(request.name, unit.state), unit.state)
    end
    return requests.results(unit.stage)
end

--- The names at the other ends of edges.
local function peers(edges, side)
    local list = {}
    for i, edge in ipairs(edges) do
        list[i] = edge[side].spec.id
    end
    return list
end

function answers.status(self)
    local list = {}
    for i, unit in ipairs(self.net.units) do
        list[i] = {
            name = unit.spec.id,
            kind = unit.plan.kind,
            state = unit.is_finished and "finished" or unit.is_ending and "ending" or unit.state,
            stage = unit.stage,
            worker = unit.stage and unit.stage.worker,
            restarts = unit.restarts,
            start_time = unit.stage and unit.start_time,
            producers = peers(unit.inputs, "producer"),
            consumers = peers(unit.outputs, "consumer"),
        }
    end
    return requests.results { state = self.is_draining and "draining" or "running", stages = list }
end

function answers.join(self, _, from)
    table.insert(self.joining, from)
    return stagehost.noreply
end

function answers.drain(self, request, from)
    table.insert(self.waiting, from)
    if request.timeout_ms < math.huge then
        stagehost.send_after(request.timeout_ms, notes.new "cut_drain_short")
    end
    if not self.is_draining then
        self.is_draining = true
        ends.begin_drain(self)
    end
    if ends.all_finished(self.net.units) then
        stagehost.self():send(notes.new "cut_drain_short")
    end
    return stagehost.noreply
end

function callbacks.handle_call(self, message, from)
    return requests.answer("pipeline", answers, self, message, from)
end

--- Stops the units from the sources to the ends, so that no new events come while the rest is being stopped. In a drain
--- of the host, which ends processes before consumers, the units still finish their work.
function callbacks.terminate(self, reason)
    for _, unit in ipairs(self.net.units) do
        children.stop(self.children, unit, "stopped")
        if stagehost.is_draining() then
            keep_result(self, unit)
        end
    end
    local is_clean = reasons.is_clean(reason)
    for _, from in ipairs(self.joining) do
        from:reply(requests.results(is_clean and self.results))
    end
    reply_all(self, is_clean and requests.results(true)
        or requests.results(nil, reasons.text(reason), { total = 0, stages = {} }))
end

M.callbacks = callbacks

return M
