-- SPDX-License-Identifier: MIT

--- A process of `stagehost test`: runs one file, for the list of its tests or for one of them.
local stagehost = require "stagehost"

local uv = stagehost.uv

local M = {}

---@class stagehost.test.Outcome
---@field verdict string what the file wrote to the pipe of the verdict
---@field output string what it wrote to standard output and standard error
---@field status integer
---@field signal integer
---@field is_late boolean the time was up
---@field ms number

local function reader(into, on_end)
    local pipe = uv.new_pipe(false)
    return pipe, function()
        pipe:read_start(function(_, chunk)
            if chunk then
                into[#into + 1] = chunk
            else
                pipe:close()
                on_end()
            end
        end)
    end
end

local function environment(wanted, settings)
    local env = {}
    for name, value in pairs(uv.os_environ()) do
        if not name:find "^STAGEHOST_TEST" and name ~= "STAGEHOST_LOG_FORMAT" and name ~= "STAGEHOST_WATCHDOG" then
            env[#env + 1] = name .. "=" .. value
        end
    end
    env[#env + 1] = "STAGEHOST_TEST=" .. wanted
    env[#env + 1] = "STAGEHOST_TEST_UPDATE=" .. (settings.update and "1" or "0")
    return env
end

-- When the time is up, the process logs its stages, and is killed a moment later.
local function limit(handle, timeout_ms, outcome)
    if timeout_ms == 0 then
        return function() end
    end
    local timer = uv.new_timer()
    timer:start(timeout_ms, 500, function()
        handle:kill(outcome.is_late and "sigkill" or "sigusr1")
        outcome.is_late = true
    end)
    return function()
        timer:close()
    end
end

local function spawn(path, wanted, seed, settings, done)
    local verdict, output = {}, {}
    local outcome = { is_late = false, status = -1, signal = 0 }
    local left, began, stop_limit = 4, uv.hrtime(), nil
    local function on_end()
        left = left - 1
        if left == 0 then
            outcome.verdict, outcome.output = table.concat(verdict), table.concat(output)
            outcome.ms = (uv.hrtime() - began) / 1e6
            stop_limit()
            done(outcome)
        end
    end
    local out, read_out = reader(output, on_end)
    local err, read_err = reader(output, on_end)
    local told, read_told = reader(verdict, on_end)
    local handle, message = uv.spawn(uv.exepath(), {
        args = { "run", "-w", "1", "--virtual-clock", "--seed", ("%.0f"):format(seed), "--log-level", "info", "--",
            path },
        env = environment(wanted, settings),
        stdio = { nil, out, err, told },
    }, function(status, signal)
        outcome.status, outcome.signal = status, signal
        on_end()
    end)
    if not handle then
        error("stagehost test: " .. tostring(message), 0)
    end
    stop_limit = limit(handle, settings.timeout_ms, outcome)
    read_out()
    read_err()
    read_told()
end

--- Runs the file, waits for its end.
---@param path string
---@param wanted string "list", or the number of a test
---@param seed integer
---@param settings { timeout_ms: integer, update: boolean }
---@return stagehost.test.Outcome
function M.run(path, wanted, seed, settings)
    return (stagehost.await(spawn, path, wanted, seed, settings))
end

return M
