--- Runs busted inside a stagehost script, so that an `it` may start stages, sleep and await:
---   stagehost spec/support/busted_runner.lua [busted options] FILE...
--- Also runs under plain luajit, for specs that need no engine.
---
--- busted would end the process itself after a failure. Here the script ends with an error
--- instead, so that the host closes its Lua states as always, which the leak checks need.

-- busted unloads the modules of a spec file after the file; those of the engine stay.
local has_engine, stagehost = pcall(require, "stagehost")

if has_engine then
    require("spec.support.packed").install()
end

local Exit = {}
require "busted.compatibility".exit = function(status)
    error(setmetatable({ status = status }, Exit), 0)
end

local here = arg[0]:match("^(.*)/[^/]*$") or "."
-- The command runs the interpreter that .busted pins; this process is already the right one.
table.insert(arg, 1, "--ignore-lua")
table.insert(arg, 2, "--output=" .. here .. "/busted_output.lua")

local ok, err = pcall(require "busted.runner", { standalone = false })

-- Stages that a spec has left alive end as they would after Ctrl-C.
if has_engine then
    stagehost.uv.kill(stagehost.uv.os_getpid(), "sigterm")
end

local exit = not ok and getmetatable(err) == Exit
if ok or (exit and err.status == 0) then
    if has_engine then
        stagehost.exit_status(0) -- stages that fail on purpose do not count
    end
    return
end
error(exit and ("specs failed: " .. table.concat(arg, " ", 3)) or err, 0)
