-- SPDX-License-Identifier: MIT

--- The answers to requests of the handle of several consumer_supervisors, which asks its shards:
--- M[request](self, request, from).
local notes = require "stagehost.messages.note"
local requests = require "stagehost.messages.request"
local stagehost = require "stagehost"

local M = {}

-- Reasons with which a shard passes its turn on; "noproc": it is being restarted.
local passes_on = { overloaded = true, not_found = true, noproc = true }

-- Returns the results of the first shard that has some, else those of the last.
local function ask_until(self, request, first)
    local result, message, reason
    for i = 0, #self.shards - 1 do
        result, message, reason = requests.forward(self.shards[(first + i) % #self.shards + 1], request)
        if result or reason ~= nil and not passes_on[reason] then
            break
        end
    end
    return requests.results(result, message, reason)
end

--- The shards start children in turn; a shard that is overloaded passes its turn on.
function M.start_child(self, request)
    self.next = (self.next + 1) % #self.shards
    return ask_until(self, request, self.next)
end

function M.terminate_child(self, request)
    return ask_until(self, request, 0)
end

function M.lookup(self, request)
    return ask_until(self, request, 0)
end

function M.which_children(self, request)
    local all = {}
    for _, shard in ipairs(self.shards) do
        for _, entry in ipairs(requests.forward(shard, request) or {}) do
            all[#all + 1] = entry
        end
    end
    return requests.results(all)
end

function M.count_children(self, request)
    local sum = { specs = 1, active = 0, workers = 0, supervisors = 0 }
    for _, shard in ipairs(self.shards) do
        local count = requests.forward(shard, request)
        for _, key in ipairs { "active", "workers", "supervisors" } do
            sum[key] = sum[key] + (count and count[key] or 0)
        end
    end
    return requests.results(sum)
end

function M.which_shards(self, request)
    local list = {}
    for i, shard in ipairs(self.shards) do
        local count = not self.restarting[i] and requests.ask(shard, request.kind, "count_children") or nil
        list[i] = {
            stage = shard,
            worker = self.workers[i],
            state = count and "running" or "restarting",
            active = count and count.active,
            restarts = self.restarts[i],
        }
    end
    return requests.results(list)
end

-- Shards may take long to answer: a task beside the stage waits for them, and the stage goes on.
for what, answer in pairs(M) do
    M[what] = function(self, request, from)
        stagehost.task(function()
            from:reply(answer(self, request))
        end)
        return stagehost.noreply
    end
end

--- Starts one shard again, and answers when that is done.
function M.restart_shard(self, request, from)
    local i = request.shard
    local shard = self.shards[i]
    if not shard then
        return requests.results(nil, ("there is no shard %d of %d"):format(i, #self.shards), "not_found")
    elseif self.restarting[i] then
        table.insert(self.restarting[i], from)
    elseif not self.by_id[shard.id] then
        return requests.results(nil, "the shard has ended", "ended")
    else
        self.restarting[i] = { from }
        shard:send(notes.new("retire"))
    end
    return stagehost.noreply
end

return M
