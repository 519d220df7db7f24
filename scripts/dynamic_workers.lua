#!/usr/bin/env stagehost
-- SPDX-License-Identifier: MIT
--
-- A worker for each job, started when the job comes and gone when it is done: a consumer_supervisor asks
-- its producer for as many jobs as it has free slots. A job that fails is tried again.
--
--   stagehost scripts/dynamic_workers.lua [JOBS [AT_ONCE]]
--   job 13 fails, and is done again
--   100 jobs done by 101 workers, never more than 8 at once
local stagehost = require "stagehost"

local n_jobs, at_once = tonumber(arg[1] or 100), tonumber(arg[2] or 8)

local jobs = {}
for i = 1, n_jobs do
    jobs[i] = { id = i, ms = i % 5 }
end

local started, running, most, done = 0, 0, 0, {}

-- Runs on a stage of its own: a real job would wait here for a download, a query or a program.
local function work(job)
    started, running = started + 1, running + 1
    most = math.max(most, running)
    stagehost.sleep(job.ms)
    running = running - 1
    if job.id == 13 and not job.has_failed then
        job.has_failed = true
        print "job 13 fails, and is done again"
        error "out of luck"
    end
    done[job.id] = true
end

local source = assert(stagehost.start(stagehost.source.list(jobs), { demand = "accumulate" }))
local workers = assert(stagehost.start(stagehost.consumer_supervisor {
    child = work,
    restart = "transient",
    max_children = at_once,
    subscribe_to = { { to = source, min_demand = 0 } },
}))
source:demand "forward"

workers:join() -- it ends when there are no more jobs and all workers have ended
assert(#done == n_jobs and most <= at_once)
print(("%d jobs done by %d workers, never more than %d at once"):format(#done, started, at_once))
