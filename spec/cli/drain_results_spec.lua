-- SPDX-License-Identifier: MIT
--
-- A drain by a signal ends processes before consumers; the results of a pipeline are complete all the same.
local command = require "spec.support.command"

local script = [[
    local stagehost = require "stagehost"
    local Tally = stagehost.producer_consumer {
        init = function(self) self.n = 0 end,
        handle_events = function(self, lines)
            self.n = self.n + #lines
            io.stderr:write("working\n")
        end,
        handle_end = function(self) return { self.n } end,
    }
    local running = assert(stagehost.pipeline {
        stages = {
            { name = "lines", stage = stagehost.source.lines "-" },
            { name = "tally", stage = Tally, instances = 2, subscribe_to = { "lines" } },
            { name = "report", stage = stagehost.sink.collect(), subscribe_to = { "tally" } },
        },
    }:start())
    local report = assert(running:join()).report
    print(#report, report[1] + report[2] > 0)
]]

describe("a pipeline in a drain", function()
    for workers = 1, 2 do
        it(("has the results of stages that end last, with %d workers"):format(workers), function()
            local r = command.run(([[
                mkfifo in; { seq 1 5000; echo >fed; sleep 60; } >in & feeder=$!
                exec 9<in
                $S -w %d a.lua <&9 >out 2>err & pid=$!
                until grep -q working err; do sleep 0.01; done
                kill -TERM $pid; wait $pid; echo $?; kill $feeder
                cat out
            ]]):format(workers), { ["a.lua"] = script })
            assert.equal("0\n2\ttrue\n", r.out)
        end)
    end
end)
