#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- A pool of workers that take jobs from a queue. The pool is linked with its workers and traps exits: a job that
-- crashes ends one worker, which is replaced, and the caller gets the error. Each caller is a task of its own.
--
--   stagehost scripts/worker_pool.lua [WORKERS]
--   primes below 10000: 1229
--   primes below 20000: 2262
--   primes below 30000: 3245
--   primes below many: failed (not a number: many)
--   primes below 40000: 4203
--   primes below 50000: 5133
--   4 workers, 1 of them new
local stagehost = require "stagehost"

local SIZE = tonumber(arg[1]) or 4

local function count_primes(below)
    if type(below) ~= "number" then
        error("not a number: " .. tostring(below), 0)
    end
    local composite, count = {}, 0
    for n = 2, below - 1 do
        if not composite[n] then
            count = count + 1
            for multiple = n * n, below - 1, n do
                composite[multiple] = true
            end
        end
    end
    return count
end

local Worker = stagehost.process {
    init = function(self, pool) self.pool = pool end,
    handle_cast = function(self, job)
        self.pool:cast { worker = self.stage, answer = { count = count_primes(job) } }
    end,
}

local Pool = stagehost.process {
    init = function(self, size)
        self.idle, self.busy, self.queue, self.hired, self.size = {}, {}, {}, 0, size
        for _ = 1, size do
            self:hire()
        end
    end,
    hire = function(self)
        -- supervised: the pool deals with its failures, which are no failures of the host
        local opts = { worker = "any", args = self.stage, link = true, supervised = true }
        table.insert(self.idle, assert(stagehost.start(Worker, opts)))
        self.hired = self.hired + 1
    end,
    hand_out = function(self)
        while #self.idle > 0 and #self.queue > 0 do
            local worker, job = table.remove(self.idle), table.remove(self.queue, 1)
            self.busy[worker] = job.from
            worker:cast(job.n)
        end
    end,
    answer = function(self, worker, answer)
        self.busy[worker]:reply(answer)
        self.busy[worker] = nil
    end,
    handle_call = function(self, n, from)
        if n == "size" then
            return { size = self.size, new = self.hired - self.size }
        end
        table.insert(self.queue, { n = n, from = from })
        self:hand_out()
        return stagehost.noreply
    end,
    handle_cast = function(self, done)
        self:answer(done.worker, done.answer)
        table.insert(self.idle, done.worker)
        self:hand_out()
    end,
    handle_exit = function(self, worker, reason)
        if self.busy[worker] then
            self:answer(worker, { failure = reason.message })
        end
        self:hire()
        self:hand_out()
    end,
}

local pool = assert(stagehost.start(Pool, { name = "pool", args = SIZE }))
local jobs = { 10000, 20000, 30000, "many", 40000, 50000 }
local tasks = {}
for i, job in ipairs(jobs) do
    tasks[i] = assert(stagehost.task(function() return assert(pool:call(job, math.huge)) end))
end
for i, job in ipairs(jobs) do
    local answer = assert(tasks[i]:await())
    print(("primes below %s: %s"):format(job, answer.count or "failed (" .. answer.failure .. ")"))
end
local staff = pool:call "size"
print(("%d workers, %d of them new"):format(staff.size, staff.new))
pool:stop "shutdown" -- ends the linked workers too, which a normal end would leave alive
