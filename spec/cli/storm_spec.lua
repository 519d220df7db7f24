-- SPDX-License-Identifier: MIT
--
-- A restart storm: a stage that crashes at once, a thousand times. The host goes on with everything
-- else, ends with the right reason, and does not fill the log.
local run = require "spec.support.command".run

local storm = [[
    local stagehost = require "stagehost"
    local child, delay, name = arg[1], tonumber(arg[2]), arg[3]
    local starts = 0
    local children = {
        -- comes up, and crashes
        late = stagehost.process {
            init = function(self)
                starts = starts + 1
                self.stage:send "crash"
            end,
            handle_info = function() error "boom" end,
        },
        -- does not come up again
        early = stagehost.process {
            init = function()
                starts = starts + 1
                if starts == 1 then
                    stagehost.send_after(1, "crash")
                else
                    error "boom"
                end
            end,
            handle_info = function() error "boom" end,
        },
    }
    -- Somebody who has nothing to do with it.
    local rounds = 0
    local echo = assert(stagehost.start(stagehost.process { handle_call = function(_, x) return x end }))
    local bystander = assert(stagehost.start(stagehost.process {
        handle_info = function()
            rounds = rounds + assert(echo:call(1))
            stagehost.self():send "again"
        end,
    }))
    bystander:send "go"
    local sup = assert(stagehost.start(stagehost.supervisor {
        max_restarts = 1000, max_seconds = 3600,
        backoff = delay and { delay = delay, cap = 2, jitter = 0.5 } or nil,
        children = { { id = "crasher", start = children[child], options = { name = name } } },
    }))
    local before = rounds
    local reason = sup:join()
    print(reason, starts, rounds - before > 50, bystander:is_alive(), name and stagehost.whereis(name))
    bystander:kill()
    bystander:join()
    echo:stop()
]]

local function lines(text)
    return select(2, text:gsub("\n", "\n"))
end

describe("a stage that crashes a thousand times", function()
    for _, case in ipairs {
        { "at once", "late" },
        { "at once, under a name", "late '' crasher" },
        { "with pauses", "late 1" },
        { "in its init", "early" },
        { "in its init, with pauses", "early 1 crasher" },
    } do
        it(case[1] .. " ends its supervisor, and harms nobody else", function()
            local r = run("$S a.lua " .. case[2], { ["a.lua"] = storm })
            assert.are.equal("shutdown\t1001\ttrue\ttrue\tnil\n", r.out)
            assert.are.equal(70, r.status) -- a supervisor that gives up has failed
            assert.is_truthy(r.err:find("giving up", 1, true))
            assert.is_truthy(r.err:find("boom", 1, true))
            assert.is_truthy(r.err:find(" more times)", 1, true))
            assert.is_true(lines(r.err) < 60, lines(r.err) .. " lines")
        end)
    end
end)
