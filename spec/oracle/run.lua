--- The conformance runner.
--
-- Usage: stagehost spec/oracle/run.lua [--json] [--gc-stress] [--recorded] [FILES|FOLDERS...]
--
-- A file is a scenario; its expectation is in ../expected under the same name. A folder has scenarios,
-- or a folder `scenarios`. Default: the scenarios beside this script.
--   --json       print the output of every scenario, one JSON document a line; the rest on stderr
--   --gc-stress  collect all garbage at every recorded callback
--   --recorded   compare with the recordings only, leave own expectations out
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path

local cjson = require "cjson"
local compare = require "compare"
local scenario = require "scenario"
local stagehost = require "stagehost"

local function read_json(path)
    local file = io.open(path, "rb")
    if not file then
        return nil
    end
    local text = file:read("*a")
    file:close()
    local decoded, value = pcall(cjson.decode, text)
    if not decoded then
        error(path .. ": " .. value, 0)
    end
    return value
end

local function is_folder(path)
    local stat = stagehost.uv.fs_stat(path)
    return stat ~= nil and stat.type == "directory"
end

-- The scenario files of a folder, in order.
local function list_folder(path)
    if is_folder(path .. "/scenarios") then
        path = path .. "/scenarios"
    end
    local files = {}
    local entries = assert(stagehost.uv.fs_scandir(path))
    for name in stagehost.uv.fs_scandir_next, entries do
        if name:find("%.json$") then
            files[#files + 1] = path .. "/" .. name
        end
    end
    table.sort(files)
    return files
end

local known = { ["--json"] = "json", ["--gc-stress"] = "gc_stress", ["--recorded"] = "recorded" }

local function parse_arguments()
    local opts, files = {}, {}
    for _, argument in ipairs(arg) do
        if known[argument] then
            opts[known[argument]] = true
        elseif argument:find("^%-") then
            error("unknown option " .. argument .. ": known are --json --gc-stress --recorded", 0)
        elseif is_folder(argument) then
            for _, file in ipairs(list_folder(argument)) do
                files[#files + 1] = file
            end
        else
            files[#files + 1] = argument
        end
    end
    return opts, files[1] and files or list_folder(here .. "/scenarios")
end

local function has_tag(described, wanted)
    for _, tag in ipairs(described.tags or {}) do
        if tag == wanted then
            return true
        end
    end
    return false
end

-- The expectation for a scenario: our own one where we deviate on purpose, else the
-- recording.
local function expectation(path, described, opts)
    local own_path = here .. "/expected_own/" .. described.name .. ".json"
    local own = not opts.recorded and read_json(own_path)
    if own and not has_tag(described, "quirk") then
        error(described.name .. ": an own expectation, but the scenario is no quirk", 0)
    elseif own and not own.why then
        error(described.name .. ": an own expectation that does not say why", 0)
    elseif own then
        return own
    end
    local folder, file = path:match("^(.*)/([^/]*)$")
    return read_json((folder or ".") .. "/../expected/" .. (file or path))
end

local function report(out, name, lines)
    out:write("FAIL ", name, ": ", lines[1], "\n")
    for i = 2, #lines do
        out:write("     ", lines[i], "\n")
    end
end

-- Performs one scenario. Returns "passed", "failed" or "unjudged", and lines that say why.
local function judge(path, described, opts)
    local performed, got = xpcall(scenario.perform, debug.traceback, described, opts)
    if not performed then
        return "failed", { tostring(got) }
    elseif opts.json then
        io.stdout:write(compare.encode_output(got), "\n")
    end
    local expected = expectation(path, described, opts)
    if not expected then
        return "unjudged"
    end
    local lines = compare.diff(expected, got)
    return lines[1] and "failed" or "passed", lines
end

local function main()
    local opts, files = parse_arguments()
    local out = opts.json and io.stderr or io.stdout
    local count = { passed = 0, failed = 0, unjudged = 0 }
    for _, path in ipairs(files) do
        local described = read_json(path) or error("can't read " .. path, 0)
        local verdict, lines = judge(path, described, opts)
        count[verdict] = count[verdict] + 1
        if verdict == "failed" then
            report(out, described.name, lines)
        end
    end
    if count.unjudged > 0 then
        out:write(count.unjudged, " without an expectation\n")
    end
    out:write(count.passed, " passed, ", count.failed, " failed\n")
    return count.failed == 0
end

-- Scenarios kill stages and leave events on purpose, so only the runner decides the exit status.
stagehost.exit_status(main() and 0 or 1)
