--- Runs busted inside a stagehost script, so that an `it` may start stages, sleep and await:
---   stagehost spec/support/busted_runner.lua [busted options] FILE...
--- Also runs under plain luajit, for specs that need no engine.
---
--- busted wants to end the process itself when something failed. Here the script ends with an error
--- instead: the host closes its Lua states as always, which is what the leak checks look at.

-- busted forgets the modules a spec file loaded when the file is done; the engine's stay.
local has_engine, stagehost = pcall(require, "stagehost")

local Exit = {}
require "busted.compatibility".exit = function(status)
    error(setmetatable({ status = status }, Exit), 0)
end

local here = arg[0]:match("^(.*)/[^/]*$") or "."
-- The command runs the interpreter that .busted pins; this process is already the right one.
table.insert(arg, 1, "--ignore-lua")
table.insert(arg, 2, "--output=" .. here .. "/busted_output.lua")

local ok, err = pcall(require "busted.runner", { standalone = false })

-- Stages that a spec has left alive end as they would at a user's Ctrl-C.
if has_engine then
    stagehost.uv.kill(stagehost.uv.os_getpid(), "sigterm")
end

local exit = not ok and getmetatable(err) == Exit
if ok or (exit and err.status == 0) then
    if has_engine then
        stagehost.exit_status(0) -- stages that specs let fail are none of the verdict
    end
    return
end
error(exit and ("specs failed: " .. table.concat(arg, " ", 3)) or err, 0)
