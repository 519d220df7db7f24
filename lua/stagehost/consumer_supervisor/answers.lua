-- SPDX-License-Identifier: MIT

--- The answers of a consumer_supervisor to requests: M[request](self, request, from) -> the results of the function
--- of that name in stagehost.consumer_supervisor.
local ends = require "stagehost.consumer_supervisor.ends"
local notes = require "stagehost.messages.note"
local producers = require "stagehost.consumer_supervisor.producers"
local requests = require "stagehost.messages.request"
local shutdown = require "stagehost.supervisor.shutdown"
local stagehost = require "stagehost"

local M = {}

function M.start_child(self, request)
    if not self.demand:take() then
        return requests.results(nil, "overloaded", "overloaded")
    end
    local child, message, reason = self.children:add(request.event, nil)
    if child then
        return requests.results(child.stage)
    end
    self.demand:ended(nil)
    if reason ~= "ignore" then
        ends.report_start(message)
    end
    producers.ask(self)
    return requests.results(nil, message, reason)
end

--- Ends a child. The caller waits until it has ended; the supervisor goes on meanwhile.
function M.terminate_child(self, request, from)
    local child = self.children:find(request.child)
    if not child then
        return requests.results(nil, "not_found", "not_found")
    elseif child.is_restarting then
        ends.remove(self, child)
        producers.ask(self)
        return requests.results(true)
    elseif child.waiting then
        table.insert(child.waiting, from)
        return stagehost.noreply
    end
    local how = self.settings.shutdown
    child.waiting = { from }
    shutdown.tell(child.stage, how)
    if type(how) == "number" then
        child.timer = stagehost.send_after(how, notes.new("kill", { child = child.number }))
    end
    return stagehost.noreply
end

local function is_supervisor(self)
    return self.settings.child.is_supervisor == true
end

function M.which_children(self)
    local list = {}
    for i, child in ipairs(self.children:list()) do
        list[i] = {
            stage = child.stage,
            name = child.name,
            state = child.is_restarting and "restarting" or "running",
            type = is_supervisor(self) and "supervisor" or "worker",
            restarts = child.restarts,
        }
    end
    return requests.results(list)
end

function M.count_children(self)
    local n = self.children.count
    return requests.results {
        specs = 1,
        active = n - self.children.restarting,
        workers = is_supervisor(self) and 0 or n,
        supervisors = is_supervisor(self) and n or 0,
    }
end

--- Answers when the producer has got all messages that this stage sent it before.
function M.reach(_, request)
    request.producer:buffered()
    return requests.results(true)
end

local function no_shards()
    return requests.results(nil, "the consumer_supervisor has no shards", "no_shards")
end

M.which_shards, M.restart_shard = no_shards, no_shards

function M.lookup(self, request)
    local child = self.children:find(request.name)
    return requests.results(child and not child.is_restarting and child.stage or nil)
end

return M
