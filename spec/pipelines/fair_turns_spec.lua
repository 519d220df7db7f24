-- SPDX-License-Identifier: MIT

--- A busy worker looks at timers and at other workers after each batch that took a millisecond.
local stages = require "spec.support.stages"
local stagehost = require "stagehost"

local start = stages.start
local workers = stagehost.workers()

after_each(stages.stop_all)

--- Handles a batch in `ms` milliseconds of computing, and counts batches in a table that stages of
--- its worker see.
local batches = { n = 0 }
local function busy(ms)
    return stagehost.consumer {
        handle_events = function()
            local until_ns = stagehost.uv.hrtime() + ms * 1e6
            while stagehost.uv.hrtime() < until_ns do end
            batches.n = batches.n + 1
        end,
    }
end

--- A pipeline of busy stages on this worker: `lanes` sources with a consumer each, 5 events a batch.
local function be_busy(lanes, ms, n_batches)
    local consumers = {}
    for i = 1, lanes do
        local list = {}
        for k = 1, n_batches * 5 do
            list[k] = k
        end
        local source = start(stagehost.source.list(list), { demand = "accumulate" })
        consumers[i] = start(busy(ms), { subscribe_to = { { to = source, max_demand = 10 } } })
        source:demand "forward"
    end
    return consumers
end

local function median(list)
    table.sort(list)
    return list[math.ceil(#list / 2)]
end

describe("a busy worker", function()
    before_each(function()
        batches.n = 0
    end)

    it("runs a timer that is due after each batch", function()
        local seen = {}
        start(stagehost.process {
            init = function() stagehost.every(2, "tick") end,
            handle_info = function() seen[#seen + 1] = batches.n end,
        })
        for _, consumer in ipairs(be_busy(1, 5, 30)) do
            consumer:join()
        end
        local steps = {}
        for i = 2, #seen do
            steps[#steps + 1] = seen[i] - seen[i - 1]
        end
        assert.is_true(#steps >= 25)
        assert.equal(1, math.max(unpack(steps)))
    end)

    it("gives every stage of its queue a turn, although timers are always due", function()
        for _ = 1, 3 do
            start(stagehost.process {
                init = function() stagehost.every(1, "tick") end,
                handle_info = function()
                    local until_ns = stagehost.uv.hrtime() + 3e6
                    while stagehost.uv.hrtime() < until_ns do end
                end,
            })
        end
        for _, consumer in ipairs(be_busy(2, 2, 10)) do
            assert.equal("normal", consumer:join())
        end
        assert.equal(20, batches.n)
    end)
end)

if workers < 2 then
    return
end

describe("a call from another worker to an idle stage of a busy one", function()
    for _, lanes in ipairs { 1, 3 } do
        it(("is answered after the batch that runs; %d busy stages"):format(lanes), function()
            batches.n = 0
            local echo = start(stagehost.process { handle_call = function() return batches.n end })
            local caller = start(stagehost.process {
                handle_call = function(_, request)
                    local answers = {}
                    for i = 1, 10 do
                        answers[i] = request.echo:call("batches so far?", 60000)
                    end
                    return answers
                end,
            }, { worker = 1 })
            be_busy(lanes, 10, 60)
            local answers, steps = caller:call({ echo = echo }, 60000), {}
            for i = 2, #answers do
                steps[#steps + 1] = answers[i] - answers[i - 1]
            end
            -- One batch begins while the answer is on its way; a machine that is busy with other things
            -- may delay the caller now and then.
            assert.is_true(median(steps) <= 2, table.concat(answers, " "))
        end)
    end
end)
