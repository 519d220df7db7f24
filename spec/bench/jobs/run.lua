-- SPDX-License-Identifier: MIT
--
-- Runs the jobs that people bring: scripts of stagehost beside plain scripts that do the same.
-- They may be as slow as they are; what fails the bench is a program that fails, or whose output differs from the
-- plain script's.
--
--   stagehost spec/bench/jobs/run.lua --build FOLDER [--rows NAME,...] [--rounds N] [--part OF_INPUT]
--       [--data FOLDER] [--json]
local here = arg[0]:match "^(.*)/[^/]*$" or "."
local root = assert(require("stagehost").uv.fs_realpath(here .. "/../../.."))
package.path = root .. "/?.lua;" .. package.path

local groups = require "spec.bench.jobs.groups"
local json = require("stagehost").codec.json
local measure = require "spec.bench.jobs.measure"

local usage = "usage: stagehost run.lua --build FOLDER [--rows NAME,...] [--rounds N] [--part OF_INPUT] "
    .. "[--data FOLDER] [--json]"

local function fail(format, ...)
    error(("bench: %s\n%s"):format(format:format(...), usage), 0)
end

local function parse(words)
    local options, i = { rounds = 5, part = 1 }, 1
    while words[i] do
        local name = words[i]:match "^%-%-(%l+)$"
        if name == "json" then
            options.json = true
        elseif name == "build" or name == "data" or name == "rows" or name == "rounds" or name == "part" then
            i = i + 1
            options[name] = words[i] or fail("--%s needs a value", name)
        else
            fail("unknown option %s", words[i])
        end
        i = i + 1
    end
    options.rounds, options.part = tonumber(options.rounds), tonumber(options.part)
    if not options.build then
        fail "--build is missing"
    elseif not options.rounds or options.rounds < 1 or options.rounds % 1 ~= 0 then
        fail "--rounds must be a positive integer"
    elseif not options.part or options.part <= 0 or options.part > 1 then
        fail "--part must be above 0 and at most 1"
    end
    return options
end

local function wanted_names(list)
    if not list then
        return groups.names
    end
    local names = {}
    for name in list:gmatch "[^,]+" do
        if name == "names" or type(groups[name]) ~= "function" then
            fail("unknown row %s; there are %s", name, table.concat(groups.names, ", "))
        end
        names[#names + 1] = name
    end
    return names
end

local function has_command(name)
    return os.execute(("command -v '%s' >/dev/null"):format(name)) == 0
end

local function load_groups(options)
    local places = {
        build = options.build, command = options.build .. "/stagehost", here = here, root = root,
        data = options.data or root .. "/.build/bench", part = options.part,
    }
    assert(os.execute(("mkdir -p '%s'"):format(places.data)) == 0)
    local list = {}
    for i, name in ipairs(wanted_names(options.rows)) do
        list[i] = groups[name](places)
        list[i].name = name
        for _, program in ipairs(list[i].programs) do
            if program.needs and not has_command(program.needs) then
                program.skipped = ("skipped: there is no %s here"):format(program.needs)
            end
        end
    end
    return list, places.data
end

local function find(group, key)
    for _, program in ipairs(group.programs) do
        if program.key == key and not program.skipped then
            return program
        end
    end
end

local function ratio(group, program, key, what)
    local base = find(group, key)
    return base and base ~= program and measure.ratio(program, base, what) or nil
end

--- An aim in words, and whether the figure is there.
local function check_aim(group, program, aim)
    if not aim then
        return nil
    end
    local value = aim.of and ratio(group, program, aim.of) or measure.median(program.values)
    local limit = aim.at_most or aim.at_least
    local met
    if aim.at_most then
        met = value <= limit
    else
        met = value >= limit
    end
    local text = ("%s %s %s"):format(aim.at_most and "<=" or ">=", tostring(limit),
        aim.of and "of " .. aim.of:gsub("_", " ") or group.unit)
    return { text = text, value = value, met = met }
end

local function row_of(group, program)
    if program.skipped then
        return { group = group.name, name = program.name, skipped = program.skipped }
    end
    return {
        group = group.name, name = program.name, unit = group.unit, values = program.values,
        value = measure.median(program.values), cpu = measure.median(program.cpu),
        cpu_of_plain = ratio(group, program, "plain", "cpu"),
        of_plain = ratio(group, program, "plain"), of_control = ratio(group, program, "control"),
        aim = check_aim(group, program, program.aim), wish = check_aim(group, program, program.wish),
    }
end

local function number(format, value)
    return value and format:format(value) or ""
end

local function in_words(aim)
    return aim and ("%s: %.2f, %s"):format(aim.text, aim.value, aim.met and "met" or "missed") or ""
end

local function print_group(group)
    print(("\n%s: %s"):format(group.name, group.about))
    print(("  %-38s %8s %7s %8s %10s %9s  %s"):format("", group.unit, "CPU s", "of plain", "of control", "CPU/plain",
        "aim"))
    for _, program in ipairs(group.programs) do
        local row = row_of(group, program)
        if row.skipped then
            print(("  %-38s %s"):format(row.name, row.skipped))
        else
            local aims = in_words(row.aim) .. (row.wish and "; " .. in_words(row.wish) or "")
            local line = ("  %-38s %8s %7s %8s %10s %9s  %s"):format(row.name, number("%.3f", row.value),
                number("%.2f", row.cpu), number("%.2f", row.of_plain), number("%.2f", row.of_control),
                number("%.2f", row.cpu_of_plain), aims)
            print((line:gsub("%s+$", "")))
        end
    end
end

local function print_json(list)
    local rows = {}
    for _, group in ipairs(list) do
        for _, program in ipairs(group.programs) do
            rows[#rows + 1] = row_of(group, program)
        end
    end
    print((assert(json.encode(rows))))
end

local options = parse(arg)
local list, data = load_groups(options)
local folder = os.tmpname()
os.remove(folder)
assert(os.execute(("mkdir '%s'"):format(folder)) == 0)
local ok, message = pcall(measure.all, folder, list, options.rounds)
os.execute(("rm -r '%s'"):format(folder))
if not ok then
    error(message, 0)
end
if options.json then
    print_json(list)
else
    print(("rounds: %d, in turns; figures are medians, ratios are medians of those of each round; inputs in %s")
        :format(options.rounds, data))
    for _, group in ipairs(list) do
        print_group(group)
    end
end
