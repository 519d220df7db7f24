-- SPDX-License-Identifier: MIT

--- `stagehost test`: finds the tests of files, runs each in a process of its own, and reports. Called by the command.
local child = require "stagehost.test.child"
local reports = require "stagehost.test.report"
local stagehost = require "stagehost"

local uv = stagehost.uv

local PASSED, NONE, FAILED = 0, 66, 70

local function complain(format, ...)
    io.stderr:write("stagehost test: ", format:format(...), "\n")
end

-- Adds the test files of a folder, in the order of their names.
local function search(folder, files)
    local names = {}
    local request = uv.fs_scandir(folder)
    while request do
        local name, kind = uv.fs_scandir_next(request)
        if not name then
            break
        end
        names[#names + 1] = { name = name, kind = kind }
    end
    table.sort(names, function(a, b)
        return a.name < b.name
    end)
    for _, entry in ipairs(names) do
        local path = folder == "." and entry.name or folder:gsub("/+$", "") .. "/" .. entry.name
        if entry.kind == "directory" and entry.name:sub(1, 1) ~= "." then
            search(path, files)
        elseif entry.kind ~= "directory" and entry.name:find "_test%.lua$" then
            files[#files + 1] = path
        end
    end
end

local function find_files(given)
    local files = {}
    for _, path in ipairs(#given > 0 and given or { "." }) do
        local stat = uv.fs_stat(path)
        if not stat then
            complain("%s: no such file", path)
            return nil
        elseif stat.type == "directory" then
            search(path, files)
        else
            files[#files + 1] = path
        end
    end
    return files
end

-- Lines of a log without their time and level, which only tell one run from another.
local function plain(output)
    return (("\n" .. output):gsub("\nts=%S+ level=%S+ ", "\n"):sub(2))
end

--- Why a run failed, or nil.
local function judge(outcome)
    local verdict = outcome.verdict
    if outcome.is_late then
        return ("the test has not ended after %.1f s"):format(outcome.ms / 1000)
    elseif outcome.signal ~= 0 then
        return ("the test was ended by signal %d"):format(outcome.signal)
    elseif verdict:find "^failed\n" then
        return verdict:sub(8)
    elseif outcome.output:find("nothing can run any more", 1, true) then
        return "the test waits for ever"
    elseif verdict ~= "ok" or (outcome.status ~= 0 and outcome.status ~= 75) then
        return ("the process of the test ended with status %d"):format(outcome.status)
    end
end

local function run_test(path, index, name, seed, settings)
    local outcome = child.run(path, tostring(index), seed, settings)
    local problem = judge(outcome)
    return {
        file = path,
        name = name,
        seed = seed,
        ok = not problem,
        message = problem,
        ms = math.floor(outcome.ms + 0.5),
        output = problem and plain(outcome.output) or nil,
    }
end

-- The limit is meant for tests: a file has at least so long to name its own.
local LEAST_MS = 10000

--- The names of the tests of a file; nil and a result if it can't be run.
local function list(path, settings)
    local timeout_ms = settings.timeout_ms > 0 and math.max(settings.timeout_ms, LEAST_MS) or 0
    local outcome = child.run(path, "list", 0, { timeout_ms = timeout_ms })
    if outcome.status == 0 and not outcome.is_late then
        local names = {}
        for name in outcome.verdict:gmatch "([^\n]+)\n" do
            names[#names + 1] = name
        end
        return names
    end
    return nil, { file = path, name = "(the file itself)", ok = false, seed = 0, ms = math.floor(outcome.ms),
        message = "the file could not be run", output = plain(outcome.output) }
end

local function run_file(path, settings, add)
    local names, broken = list(path, settings)
    if not names then
        add(broken)
        return
    end
    for i, name in ipairs(names) do
        for round = 1, name:find(settings.filter) and settings.times or 0 do
            local result = run_test(path, i, name, settings.seed + round - 1, settings)
            if round == settings.times or not result.ok then
                add(result)
            end
            if not result.ok then
                break
            end
        end
    end
end

---@param seed string
---@param times string
---@param timeout_ms string
---@param filter string
---@param output "tap" | "json"
---@param update "1" | ""
---@param ... string files and folders
return function(seed, times, timeout_ms, filter, output, update, ...)
    local settings = { seed = tonumber(seed), times = tonumber(times), timeout_ms = tonumber(timeout_ms),
        filter = filter, update = update == "1" }
    if not pcall(string.find, "", filter) then
        complain("--filter: %q is no Lua pattern", filter)
        return stagehost.exit_status(64)
    end
    local files, report = find_files { ... }, reports[output]
    local n, failed = 0, 0
    if files then
        report.begin()
        for _, path in ipairs(files) do
            run_file(path, settings, function(result)
                n = n + 1
                failed = failed + (result.ok and 0 or 1)
                report.result(result, n)
                io.stdout:flush()
            end)
        end
        report.finish(n, failed)
        if n == 0 then
            complain("there are no tests")
        end
    end
    stagehost.exit_status(n == 0 and NONE or failed > 0 and FAILED or PASSED)
end
