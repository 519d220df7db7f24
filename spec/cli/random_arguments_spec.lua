-- SPDX-License-Identifier: MIT

--- No arguments of any function of the Lua interface crash the process. SPEC_SEED repeats a run; the
--- seed decides what is called with what, and the clock how much of it.
local command = require "spec.support.command"

local MS = 3000

describe("any arguments", function()
    it("leave the process alive", function()
        local seed = os.getenv "SPEC_SEED" or 1
        local here = assert(io.popen "pwd"):read "*l"
        local run = command.run(("$S -w 2 --log-level off --drain-timeout 200ms %s/spec/cli/random_arguments.lua %s %d")
            :format(here, seed, MS))
        local what = ("SPEC_SEED=%s: status %s, %s"):format(seed, run.status, run.err:sub(-2000))
        local calls = run.out:match "(%d+) calls of %d+ functions\n$"
        assert.is_truthy(calls, what)
        assert.is_true(tonumber(calls) > 100, what)
        -- Calls fail stages, and events are lost with them; a signal would be 128 and more.
        assert.is_true(run.status == 70 or run.status == 75, what)
    end)
end)
